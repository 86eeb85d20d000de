import CBOR
import COSE
import Testing

/// RFC 8392 Appendix A, what is not signed alone: the symmetric keys A.2.1 and A.2.2, and the tokens A.4 to
/// A.7. Nothing here shares a secret with a device, so all of it is refused.
struct CWTSymmetricExampleTests {
    static let keys: [(name: String, bytes: [UInt8])] = [
        (
            "A.2.1",
            hex("a42050231f4c4d4d3051fdc2ec0a3851d5b3830104024c53796d6d6574726963313238030a")
        ),
        // The RFC prints algorithm 10 here, too, where its diagnostic notation has 4, HMAC 256/64.
        (
            "A.2.2",
            hex(
                """
                a4205820403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d
                795693880104024c53796d6d6574726963323536030a
                """)
        ),
    ]

    /// With the COSE tag of each.
    static let tokens: [(name: String, tag: UInt64, bytes: [UInt8])] = [
        (
            "A.4, MACed", 17,
            hex(
                """
                d83dd18443a10104a1044c53796d6d65747269633235365850a70175636f6170
                3a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a
                2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f006
                1a5610d9f007420b7148093101ef6d789200
                """)
        ),
        (
            "A.5, encrypted", 16,
            hex(
                """
                d08343a1010aa2044c53796d6d6574726963313238054d99a0d7846e762c49ff
                e8a63e0b5858b918a11fd81e438b7f973d9e2e119bcb22424ba0f38a80f27562
                f400ee1d0d6c0fdb559c02421fd384fc2ebe22d7071378b0ea7428fff157444d
                45f7e6afcda1aae5f6495830c58627087fc5b4974f319a8707a635dd643b
                """)
        ),
        (
            "A.6, signed and then encrypted", 16,
            hex(
                """
                d08343a1010aa2044c53796d6d6574726963313238054d4a0694c0e69ee6b595
                6655c7b258b7f6b0914f993de822cc47e5e57a188d7960b528a747446fe12f0e
                7de05650dec74724366763f167a29c002dfd15b34d8993391cf49bc91127f545
                dba8703d66f5b7f1ae91237503d371e6333df9708d78c4fb8a8386c8ff09dc49
                af768b23179deab78d96490a66d5724fb33900c60799d9872fac6da3bdb89043
                d67c2a05414ce331b5b8f1ed8ff7138f45905db2c4d5bc8045ab372bff142631
                610a7e0f677b7e9b0bc73adefdcee16d9d5d284c616abeab5d8c291ce0
                """)
        ),
        ("A.7, MACed", 17, maced),
    ]

    static let maced = hex(
        """
        d18443a10104a1044c53796d6d65747269633235364ba106fb41d584367c2000
        0048b8816f34c0542892
        """)

    @Test(arguments: keys)
    func aSymmetricKeyIsRefused(_ key: (name: String, bytes: [UInt8])) throws {
        let cbor = try CBORValue.decode(key.bytes)
        #expect(cbor.map?[1] == 4, "it is not the key")
        let error = COSEError.key("key type 4 with curve none is not P-256 or Ed25519")
        #expect(throws: error, "\(key.name)") { try COSEKey(cbor: cbor) }
    }

    @Test(arguments: tokens)
    func aTokenThatIsNotSignedIsRefused(
        _ token: (name: String, tag: UInt64, bytes: [UInt8])
    ) throws {
        // The bytes are whole: what is refused is the kind of message, by its tag.
        _ = try CBORValue.decode(token.bytes)
        let error = COSEError.tag(expected: 18, found: token.tag)
        #expect(throws: error, "\(token.name)") { try CWT.decode(token.bytes) }
    }

    /// §2: a date may have a fraction, of which no use is made.
    @Test func aFloatingPointDate() throws {
        guard case .tagged(17, .array(let parts)) = try CBORValue.decode(Self.maced) else {
            Issue.record("no COSE_Mac0")
            return
        }
        let payload = try CBORValue.decode(try #require(parts[2].bytes))
        #expect(payload.map?[6] == .float(1_443_944_944.5))
        let claims = try CWTClaims(cbor: payload)
        #expect(claims.issuedAt == 1_443_944_944)
    }
}
