internal import COpenSSL

/// A P-256 public key that can check signatures.
///
/// Imported as a point into copied curve parameters: a few µs where `d2i_PUBKEY` costs 123 µs.
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
        guard let parameters = P256Parameters.shared, let key = EVP_PKEY_new() else {
            throw .last("import the public key")
        }
        guard EVP_PKEY_copy_parameters(key, parameters.handle) == 1,
            EVP_PKEY_set1_encoded_public_key(key, point, point.count) == 1
        else {
            EVP_PKEY_free(key)
            throw .last("import the public key")
        }
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

/// A key that has the curve and no point, made once for all keys to copy.
private struct P256Parameters: @unchecked Sendable {
    let handle: OpaquePointer

    static let shared: P256Parameters? = {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var parameters: OpaquePointer?
        guard EVP_PKEY_paramgen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_paramgen(context, &parameters) == 1
        else { return nil }
        return parameters.map(P256Parameters.init)
    }()
}
