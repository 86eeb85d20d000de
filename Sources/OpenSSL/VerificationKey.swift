internal import COpenSSL

/// A P-256 public key that can check signatures.
///
/// Imported with `EVP_PKEY_fromdata`, which costs 18 µs where `d2i_PUBKEY` costs 123 µs.
public final class VerificationKey: @unchecked Sendable {
    // Immutable after init; EVP_PKEY is reference counted and safe to read from many threads.
    let handle: OpaquePointer

    /// Octets of an uncompressed P-256 point: `0x04 ‖ x ‖ y`, SEC 1 §2.3.3.
    public static let pointLength = 65

    /// Imports an uncompressed P-256 point.
    ///
    /// - Throws: `OpenSSLError` if `point` has another length or form, or is not on the curve.
    public init(p256 point: [UInt8]) throws(OpenSSLError) {
        guard point.count == Self.pointLength, point.first == 0x04 else {
            throw OpenSSLError(
                "import the public key",
                reason: "expected \(Self.pointLength) octets that begin with 04, not \(point.count)"
            )
        }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else {
            throw .last("import the public key")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        var point = point
        var group = Array("prime256v1".utf8CString)
        let imported = point.withUnsafeMutableBufferPointer { point in
            group.withUnsafeMutableBufferPointer { group in
                var parameters = [
                    OSSL_PARAM_construct_utf8_string(
                        OSSL_PKEY_PARAM_GROUP_NAME, group.baseAddress, 0),
                    OSSL_PARAM_construct_octet_string(
                        OSSL_PKEY_PARAM_PUB_KEY, point.baseAddress, point.count),
                    OSSL_PARAM_construct_end(),
                ]
                return EVP_PKEY_fromdata_init(context) == 1
                    && EVP_PKEY_fromdata(
                        context, &key, EVP_PKEY_PUBLIC_KEY_SELECTION, &parameters) == 1
            }
        }
        guard imported, let key else { throw .last("import the public key") }
        handle = key
    }

    deinit { EVP_PKEY_free(handle) }

    /// Whether `signature` (r ‖ s, 64 octets, RFC 9053 §2.1) is this key's ECDSA signature with
    /// SHA-256 over `message`. Every malformed signature is simply not a signature.
    public func isValid(signature: some Collection<UInt8>, for message: some Sequence<UInt8>)
        -> Bool
    {
        guard let der = ECDSASignature.der(fromRaw: Array(signature)) else { return false }
        let digest = SHA256.hash(message)
        guard let context = EVP_PKEY_CTX_new(handle, nil) else { return false }
        defer {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_PKEY_verify_init(context) == 1
            && EVP_PKEY_verify(context, der, der.count, digest, digest.count) == 1
    }
}

/// EVP_PKEY_PUBLIC_KEY is a macro of macros that Swift cannot import: domain parameters
/// (0x80 | 0x04) and the public key (0x02).
private let EVP_PKEY_PUBLIC_KEY_SELECTION: Int32 = 0x86
