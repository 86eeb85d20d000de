public import COSE

/// What may be shown of an authority: nothing in it is secret.
public struct AuthorityDescription: Hashable, Sendable {
    /// One of the authority's certificates.
    public struct CertificateEntry: Hashable, Sendable {
        public let path: String
        /// `CN=…`.
        public let subject: String
        /// SHA-256 of the DER encoding, 32 octets.
        public let fingerprint: [UInt8]
        /// Big endian, without leading zeroes.
        public let serialNumber: [UInt8]
        public let notBefore: NumericDate
        /// Nil: no expiry.
        public let notAfter: NumericDate?
    }

    /// The authority's folder.
    public let path: String
    public let root: CertificateEntry
    public let issuing: CertificateEntry
    /// False where the root key was taken away, as it may be once the issuing key is certified.
    public let hasRootKey: Bool
    /// The COSE_Key that verifies the CWTs.
    public let tokenKeyPath: String
    /// Its COSE Key Thumbprint, RFC 9679, 32 octets: the `kid` of every CWT.
    public let tokenKeyThumbprint: [UInt8]
    /// `iss` of every CWT.
    public let tokenIssuer: String
}
