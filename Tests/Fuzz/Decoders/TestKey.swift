internal import OpenSSL

/// Keys to get behind a signature check with.
enum TestKey {
    /// Signs what the fuzzer invents, so that it is read like a device's own. The scalar 1000001, as
    /// in `Tests/AttestationTests/Vectors`: worthless.
    static let signing: SigningKey = {
        let text = Array(
            """
            -----BEGIN PRIVATE KEY-----
            MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCAAAAAAAAAAAAAAAAAA
            AAAAAAAAAAAAAAAAAAAAAA9CQQ==
            -----END PRIVATE KEY-----
            """.utf8)
        let secret = Secret(capacity: text.count) { buffer in
            buffer.copyBytes(from: text)
            return text.count
        }
        guard let key = try? SigningKey(pem: secret) else { fatalError("the test's key is none") }
        return key
    }()

    /// A key that never signs anything: no signature is its own.
    static let unused = try? VerificationKey(p256: SigningKey.generate().publicKey)
}
