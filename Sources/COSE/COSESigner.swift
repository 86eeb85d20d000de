public import OpenSSL

/// Holds a private key and signs with it: in a file, a token or a TPM.
///
/// Implementers: never give the private key away, and return a signature in COSE's form.
public protocol COSESigner {
    var algorithm: COSEAlgorithm { get }

    /// The signature over `message`; for ECDSA r ‖ s, RFC 9053 §2.1.
    func sign(_ message: [UInt8]) throws(OpenSSLError) -> [UInt8]
}
