internal import COpenSSL
internal import Synchronization

/// A P-256 public key that can check signatures.
///
/// Imported as a point into a handle that has the curve already: a few µs where `d2i_PUBKEY` costs
/// 123 µs.
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
        guard let key = P256Handles.shared.take() else { throw .last("import the public key") }
        guard EVP_PKEY_set1_encoded_public_key(key, point, point.count) == 1 else {
            EVP_PKEY_free(key)
            throw .last("import the public key")
        }
        handle = key
    }

    deinit { P256Handles.shared.giveBack(handle) }

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

/// Handles that have the curve. Copying it takes longer than importing a point, so that a handle whose
/// key is not needed any more gets the next key's point.
private final class P256Handles: Sendable {
    static let shared = P256Handles()

    private let idle = Mutex<[Handle]>([])
    private let parameters: Handle?

    /// More than this many keys at once are rare, and no reason to keep their memory.
    private static let mostIdle = 16

    /// Owned by whoever took it from the idle ones.
    private struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private init() {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else {
            parameters = nil
            return
        }
        defer { EVP_PKEY_CTX_free(context) }
        var curve: OpaquePointer?
        guard EVP_PKEY_paramgen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_paramgen(context, &curve) == 1
        else {
            parameters = nil
            return
        }
        parameters = curve.map(Handle.init)
    }

    /// A handle whose point, if it has one, is to be replaced.
    func take() -> OpaquePointer? {
        if let handle = idle.withLock({ $0.popLast() }) { return handle.pointer }
        guard let parameters, let key = EVP_PKEY_new() else { return nil }
        guard EVP_PKEY_copy_parameters(key, parameters.pointer) == 1 else {
            EVP_PKEY_free(key)
            return nil
        }
        return key
    }

    func giveBack(_ handle: OpaquePointer) {
        let isKept = idle.withLock { idle in
            guard idle.count < Self.mostIdle else { return false }
            idle.append(Handle(pointer: handle))
            return true
        }
        if !isKept { EVP_PKEY_free(handle) }
    }
}
