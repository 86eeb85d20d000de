import Attestation
import COSE
import COpenSSL

/// The least that any verifier of an evidence has to do: the signature over the same bytes, with the
/// same key, by libcrypto alone, which has the key already.
final class RawVerification {
    private let key: OpaquePointer
    private let message: [UInt8]
    /// DER, as `EVP_DigestVerify` takes it.
    private let signature: [UInt8]

    init(_ bytes: [UInt8]) throws {
        let evidence = try Evidence(bytes)
        message = evidence.signedBytes
        signature = try Self.der(COSESign1.decode(bytes).signature)
        let point = evidence.key.publicKey
        var key: OpaquePointer?
        let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_paramgen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_paramgen(context, &key) == 1, let key,
            EVP_PKEY_set1_encoded_public_key(key, point, point.count) == 1
        else { throw Failure("libcrypto refuses the key") }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    func run() throws {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1,
            EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        else { throw Failure("libcrypto refuses the signature") }
    }

    private static func der(_ raw: [UInt8]) throws -> [UInt8] {
        let signature = ECDSA_SIG_new()
        defer { ECDSA_SIG_free(signature) }
        let half = raw.count / 2
        guard
            ECDSA_SIG_set0(
                signature, BN_bin2bn(raw, Int32(half), nil),
                BN_bin2bn(Array(raw[half...]), Int32(half), nil)) == 1
        else { throw Failure("no signature") }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_ECDSA_SIG(signature, &bytes)
        guard count > 0, let bytes else { throw Failure("no signature") }
        defer { CRYPTO_free(bytes, #fileID, #line) }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}
