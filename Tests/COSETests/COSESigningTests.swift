import CBOR
import COSE
import OpenSSL
import Testing

struct COSESigningTests {
    static func key(_ signer: SigningKey) throws -> COSEKey {
        try #require(COSEKey(p256: signer.publicKey))
    }

    @Test func whatIsSignedVerifies() throws {
        let signer = try SigningKey.generate()
        let message = try COSESign1.sign(
            payload: [1, 2, 3], keyID: [9], protected: [16: "application/cwt"],
            unprotected: [33: .bytes([0])], externalData: [7], using: signer)
        let decoded = try COSESign1.decode(message.encoded(), form: .deterministic)
        #expect(decoded == message)
        #expect(decoded.keyID == [9])
        #expect(decoded.protected == [1: -7, 4: .bytes([9]), 16: "application/cwt"])
        try decoded.verify(with: Self.key(signer), externalData: [7])
        #expect(throws: COSEError.signature) {
            try decoded.verify(with: Self.key(SigningKey.generate()), externalData: [7])
        }
    }

    @Test func aTokenCarriesItsKey() throws {
        let signer = try SigningKey.generate()
        let deviceKey = try Self.key(SigningKey.generate())
        let claims = CWTClaims(
            issuer: "provision", subject: "1f0c", expiration: 200, notBefore: 100, issuedAt: 100,
            tokenID: [1], confirmation: .key(deviceKey), other: [-65538: "microbit", "x": [1]])
        let token = try CWT.decode(CWT.sign(claims, using: signer).encoded())
        let read = try token.claims(signedBy: Self.key(signer), at: 150)
        #expect(read == claims)
        #expect(throws: COSEError.signature) { try token.claims(signedBy: deviceKey, at: 150) }
    }

    /// RFC 8747 §3.4.
    @Test func aTokenMayNameItsKey() throws {
        let claims = CWTClaims(confirmation: .keyID([0xdf, 0xd1]))
        #expect(claims.cbor.encoded() == hex("a108a10342dfd1"))
        #expect(try CWTClaims(cbor: claims.cbor) == claims)
    }

    @Test func everyMutatedOctetBreaksTheSignature() throws {
        let signer = try SigningKey.generate()
        let key = try Self.key(signer)
        let claims = CWTClaims(subject: "1f0c", confirmation: .key(key))
        let bytes = try CWT.sign(claims, keyID: [1, 2, 3], using: signer).encoded()
        try COSESign1.decode(bytes).verify(with: key)
        for index in bytes.indices {
            for mask: UInt8 in [0x01, 0x20, 0x80, 0xff] {
                var mutated = bytes
                mutated[index] ^= mask
                #expect(throws: COSEError.self, "octet \(index), mask \(mask)") {
                    try COSESign1.decode(mutated).verify(with: key)
                }
            }
        }
        for length in bytes.indices {
            #expect(throws: COSEError.self) { try COSESign1.decode(Array(bytes.prefix(length))) }
        }
    }

    static let malformedClaims: [(String, CBORValue)] = [
        ("an array", []),
        ("iss", [1: 1]),
        ("sub", [2: .bytes([1])]),
        ("aud", [3: ["a", "b"]]),
        ("exp text", [4: "2026"]),
        ("exp tagged", [4: .tagged(1, 100)]),
        ("exp too large", [4: .unsigned(.max)]),
        ("exp infinite", [4: .float(.infinity)]),
        ("nbf not a number", [5: .float(.nan)]),
        ("iat", [6: .null]),
        ("cti", [7: "x"]),
        ("cnf", [8: 1]),
        ("cnf empty", [8: [:]]),
        ("cnf encrypted", [8: [2: .bytes([])]]),
        ("cnf twice", [8: [3: .bytes([1]), 5: .bytes([1])]]),
        ("cnf key", [8: [1: [:]]]),
        ("array as key", [[]: 1]),
    ]

    @Test(arguments: malformedClaims)
    func malformedClaimsAreRefused(name: String, value: CBORValue) {
        #expect(throws: COSEError.self) { try CWTClaims(cbor: value) }
    }

    @Test func fractionsOfASecondAreDropped() throws {
        #expect(try CWTClaims(cbor: [4: .float(10.75)]).expiration == 10)
        #expect(try CWTClaims(cbor: [5: -10]).notBefore == -10)
    }
}
