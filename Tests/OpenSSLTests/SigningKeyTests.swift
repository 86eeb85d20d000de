import OpenSSL
import Testing

@Suite struct SigningKeyTests {
    @Test func signaturesVerify() throws {
        let key = try SigningKey.generate()
        let verifier = try VerificationKey(p256: key.publicKey)
        let message = Array("a message".utf8)
        var signature = try key.sign(message)
        #expect(signature.count == ECDSASignature.rawLength)
        #expect(verifier.isValid(signature: signature, for: message))
        #expect(!verifier.isValid(signature: signature, for: message + [0]))
        signature[10] ^= 1
        #expect(!verifier.isValid(signature: signature, for: message))
    }

    @Test func bothEncodingsAreOneSignature() throws {
        let key = try SigningKey.generate()
        // Leading zeroes in r or s show only in some signatures.
        for index in 0..<300 {
            let message = Array("message \(index)".utf8)
            let der = try key.signDER(message)
            let raw = try #require(ECDSASignature.raw(fromDER: der))
            #expect(ECDSASignature.der(fromRaw: raw) == der)
        }
    }

    /// What libcrypto holds of a key is used again for the next one.
    @Test func aKeyThatIsGoneVerifiesNothing() throws {
        let message = Array("a message".utf8)
        let gone = try SigningKey.generate()
        let earlier = try gone.sign(message)
        for _ in 0..<100 {
            #expect(
                try VerificationKey(p256: gone.publicKey)
                    .isValid(signature: earlier, for: message))
            // Not on the curve: a failed import leaves nothing behind.
            #expect(throws: OpenSSLError.self) {
                try VerificationKey(p256: [0x04] + [UInt8](repeating: 1, count: 64))
            }
            let key = try SigningKey.generate()
            let verifier = try VerificationKey(p256: key.publicKey)
            #expect(!verifier.isValid(signature: earlier, for: message))
            #expect(verifier.isValid(signature: try key.sign(message), for: message))
        }
    }

    @Test func manyThreadsImportKeys() async throws {
        let keys = try (0..<32).map { _ in try SigningKey.generate() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<256 {
                group.addTask {
                    let (own, other) = (keys[index % 32], keys[(index + 1) % 32])
                    let signature = try own.sign([1])
                    return try VerificationKey(p256: own.publicKey)
                        .isValid(signature: signature, for: [1])
                        && !VerificationKey(p256: other.publicKey)
                            .isValid(signature: signature, for: [1])
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test func survivesPEM() throws {
        let key = try SigningKey.generate()
        let pem = try key.pem()
        let text = pem.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        #expect(text.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        let copy = try SigningKey(pem: pem)
        #expect(copy.publicKey == key.publicKey)
        #expect(
            try VerificationKey(p256: key.publicKey).isValid(signature: copy.sign([1]), for: [1]))
    }

    @Test func signsFromManyThreads() async throws {
        let key = try SigningKey.generate()
        let verifier = try VerificationKey(p256: key.publicKey)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<64 {
                group.addTask {
                    let message = Array("message \(index)".utf8)
                    return verifier.isValid(signature: try key.sign(message), for: message)
                }
            }
            for try await isValid in group { #expect(isValid) }
        }
    }

    @Test(arguments: [
        "", "not PEM",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ])
    func refusesWhatIsNoKey(_ text: String) {
        #expect(throws: OpenSSLError.self) { try SigningKey(pem: Secret(Array(text.utf8))) }
    }

    @Test func refusesPointsOffTheCurve() throws {
        let point = try SigningKey.generate().publicKey
        for index in point.indices {
            var changed = point
            changed[index] ^= 1
            #expect(throws: OpenSSLError.self) { try VerificationKey(p256: changed) }
        }
        let infinity = [UInt8](repeating: 0, count: 65)
        #expect(throws: OpenSSLError.self) { try VerificationKey(p256: infinity) }
        #expect(throws: OpenSSLError.self) {
            try VerificationKey(p256: [0x04] + infinity.dropFirst())
        }
        #expect(throws: OpenSSLError.self) { try VerificationKey(p256: Array(point.dropLast())) }
    }
}
