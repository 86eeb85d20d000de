internal import COpenSSL
internal import Synchronization

/// A P-256 private key that signs with ECDSA and SHA-256.
///
/// The private scalar stays inside libcrypto but for `pem`, and no description or mirror shows it.
public final class SigningKey: @unchecked Sendable {
    // Immutable after init; EVP_PKEY is reference counted and safe to read from many threads.
    let handle: OpaquePointer
    /// The uncompressed public point, 65 octets.
    public let publicKey: [UInt8]

    // Making a context costs more than half a signature; one context serves one thread at a time.
    private let idleContexts = Mutex<[SigningContext]>([])

    /// A new random key.
    public static func generate() throws(OpenSSLError) -> SigningKey {
        let operation = "generate a key"
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else {
            throw .last(operation)
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw .last(operation) }
        return try SigningKey(adopting: key, operation)
    }

    /// Takes over the reference to `handle`, also when it throws.
    init(adopting handle: OpaquePointer, _ operation: String) throws(OpenSSLError) {
        self.handle = handle
        var name = [CChar](repeating: 0, count: 32)
        var length = 0
        guard EVP_PKEY_get_group_name(handle, &name, name.count, &length) == 1,
            name.prefix(length).map(UInt8.init(bitPattern:)) == Array("prime256v1".utf8)
        else {
            EVP_PKEY_free(handle)
            ERR_clear_error()
            throw OpenSSLError(operation, reason: "it is not a P-256 key")
        }
        var point = [UInt8](repeating: 0, count: VerificationKey.pointLength)
        guard
            EVP_PKEY_get_octet_string_param(
                handle, OSSL_PKEY_PARAM_PUB_KEY, &point, point.count, &length) == 1,
            length == point.count, point[0] == 0x04
        else {
            EVP_PKEY_free(handle)
            ERR_clear_error()
            throw OpenSSLError(operation, reason: "its public point is not uncompressed")
        }
        publicKey = point
    }

    deinit {
        idleContexts.withLock { contexts in
            for context in contexts { EVP_PKEY_CTX_free(context.pointer) }
        }
        EVP_PKEY_free(handle)
    }

    /// The DER encoding of the public key, 91 octets.
    public var subjectPublicKeyInfo: [UInt8] { SubjectPublicKeyInfo.der(p256: publicKey) }

    /// ECDSA with SHA-256 over `message` as r ‖ s, 64 octets: the form of COSE, RFC 9053 §2.1.
    public func sign(_ message: some Sequence<UInt8>) throws(OpenSSLError) -> [UInt8] {
        guard let raw = ECDSASignature.raw(fromDER: try signDER(message)) else {
            throw OpenSSLError("sign", reason: "libcrypto wrote no DER signature")
        }
        return raw
    }

    /// ECDSA with SHA-256 over `message` as DER, at most 72 octets: the form of X.509.
    public func signDER(_ message: some Sequence<UInt8>) throws(OpenSSLError) -> [UInt8] {
        let digest = SHA256.hash(message)
        let context = try takeContext()
        var signature = [UInt8](repeating: 0, count: 80)
        var length = signature.count
        guard EVP_PKEY_sign(context.pointer, &signature, &length, digest, digest.count) == 1 else {
            EVP_PKEY_CTX_free(context.pointer)
            throw .last("sign")
        }
        idleContexts.withLock { $0.append(context) }
        return Array(signature.prefix(length))
    }

    private func takeContext() throws(OpenSSLError) -> SigningContext {
        if let idle = idleContexts.withLock({ $0.popLast() }) { return idle }
        guard let context = EVP_PKEY_CTX_new(handle, nil) else { throw .last("sign") }
        guard EVP_PKEY_sign_init(context) == 1 else {
            EVP_PKEY_CTX_free(context)
            throw .last("sign")
        }
        return SigningContext(pointer: context)
    }
}

/// An EVP_PKEY_CTX that is initialised to sign, owned by whoever took it from the idle ones.
private struct SigningContext: @unchecked Sendable {
    let pointer: OpaquePointer
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
