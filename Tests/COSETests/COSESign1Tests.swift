import CBOR
import COSE
import OpenSSL
import Testing

/// The COSE working group's examples, sign1-tests and ecdsa-examples, and what they leave out.
struct COSESign1Tests {
    static let x = hex("bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff")
    static let y = hex("20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e")
    static let key = COSEKey(p256: [0x04] + x + y)!
    static let content = Array("This is the content.".utf8)
    static let header = "a10442313154546869732069732074686520636f6e74656e742e5840"
    static let r = "eae868ecc176883766c5dc5ba5b8dca25dab3c2e56a551ce5705b793914348e1"
    static let s = "9f43d6c6ba654472da301b645b293c9ba939295b97c4bdb847782bff384c5794"
    static let untagged = hex("8443a10126" + header + r + s)

    @Test func ecdsaSig01() throws {
        let message = try COSESign1.decode(
            hex(
                "d28445a201260300" + Self.header + Self.r
                    + "72727f48461fabbba2e343492ddecac3983686250bc68e9f1a7a07d41225b59f"))
        #expect(message.payload == Self.content)
        #expect(message.algorithm == .es256)
        #expect(message.keyID == Array("11".utf8))
        #expect(
            message.signedBytes()
                == hex("846a5369676e61747572653145a2012603004054") + Self.content)
        try message.verify(with: Self.key)
        #expect(message.verify(with: try Self.key.verificationKey()))
    }

    @Test func signPass02ExternalData() throws {
        let message = try COSESign1.decode(
            hex(
                "d28443a10126" + Self.header + Self.r
                    + "55388b10c4f1b59a6733eab416870a945111a4b2fbdbef33a77234b1deff2f9b"))
        try message.verify(with: Self.key, externalData: hex("11aa22bb33cc44dd55006699"))
        #expect(throws: COSEError.signature) { try message.verify(with: Self.key) }
    }

    @Test func signPass03WithoutTag() throws {
        for tag in [COSESign1.Tagging.optional, .forbidden] {
            let message = try COSESign1.decode(Self.untagged, tag: tag)
            try message.verify(with: Self.key)
            #expect(message.encoded(isTagged: false) == Self.untagged)
        }
        #expect(throws: COSEError.tag(expected: 18, found: nil)) {
            try COSESign1.decode(Self.untagged)
        }
        #expect(throws: COSEError.self) {
            try COSESign1.decode([0xd2] + Self.untagged, tag: .forbidden)
        }
        try COSESign1.decode([0xd2] + Self.untagged, tag: .optional).verify(with: Self.key)
    }

    @Test func signFail01WrongTag() {
        #expect(throws: COSEError.tag(expected: 18, found: 998)) {
            try COSESign1.decode(hex("d903e6") + Self.untagged)
        }
    }

    /// sign-fail-02, 06 and 07: well-formed, but not what was signed.
    @Test(arguments: [
        "8443a10126a10442313154546869732069732074686520636f6e74656e742f5840" + r + s,
        "8445a201260300" + header + r + s,
        "8443a10126" + header + r
            + "72727f48461fabbba2e343492ddecac3983686250bc68e9f1a7a07d41225b59f",
    ])
    func signFailOtherBytes(message: String) throws {
        let message = try COSESign1.decode(hex("d2" + message))
        #expect(throws: COSEError.signature) { try message.verify(with: Self.key) }
    }

    @Test func signFail03UnknownAlgorithm() throws {
        let message = try COSESign1.decode(hex("d28445a1013903e6" + Self.header + Self.r + Self.s))
        #expect(message.algorithm == COSEAlgorithm(rawValue: -999))
        #expect(!message.verify(with: try Self.key.verificationKey()))
        #expect(throws: COSEError.algorithm(.init(rawValue: -999), key: "P-256")) {
            try message.verify(with: Self.key)
        }
    }

    static let signature = CBORValue.bytes(hex(r + s))

    static func message(
        protected: CBORValue = .bytes(hex("a10126")), unprotected: CBORValue = [:],
        payload: CBORValue = .bytes(content), signature: CBORValue = signature
    ) -> [UInt8] {
        CBORValue.tagged(18, [protected, unprotected, payload, signature]).encoded()
    }

    static func header(_ map: CBORMap) -> CBORValue { .bytes(CBORValue.map(map).encoded()) }

    static let malformed: [(String, [UInt8])] = [
        ("nothing", []),
        ("a number", [0x01]),
        ("three elements", CBORValue.tagged(18, [.bytes([]), [:], .bytes([])]).encoded()),
        ("a map", CBORValue.tagged(18, [1: 2]).encoded()),
        ("two tags", [0xd2] + message()),
        ("a byte behind", message() + [0]),
        ("a byte missing", message().dropLast()),
        ("protected map", message(protected: [1: -7])),
        ("protected number", message(protected: .bytes([0x01]))),
        ("protected rest", message(protected: .bytes(hex("a1012600")))),
        ("protected duplicate", message(protected: .bytes(hex("a201260126")))),
        ("empty protected", message(protected: .bytes([]), unprotected: [1: -7])),
        (
            "sign-pass-01: unprotected algorithm",
            message(protected: .bytes([0xa0]), unprotected: [1: -7])
        ),
        ("sign-fail-04: text algorithm", message(protected: .bytes(hex("a10167756e6b6e6f776e")))),
        ("algorithm twice", message(unprotected: [1: -7])),
        ("byte string label", message(unprotected: [.bytes([1]): 1])),
        ("number as kid", message(unprotected: [4: 11])),
        ("unprotected bytes", message(unprotected: .bytes([]))),
        ("payload map", message(payload: [:])),
        ("signature text", message(signature: "x")),
        ("unknown critical", message(protected: header([1: -7, 2: [99], 99: 1]))),
        ("unknown critical text", message(protected: header([1: -7, 2: ["x"], "x": 1]))),
        ("empty critical", message(protected: header([1: -7, 2: []]))),
        ("critical number", message(protected: header([1: -7, 2: 1]))),
        ("critical and missing", message(protected: header([1: -7, 2: [4]]))),
        ("unprotected critical", message(unprotected: [2: [1]])),
    ]

    @Test(arguments: malformed)
    func malformedMessagesAreRefused(name: String, bytes: [UInt8]) {
        #expect(throws: COSEError.self) { try COSESign1.decode(bytes) }
    }

    @Test func aDetachedPayloadIsRefused() {
        #expect(throws: COSEError.detachedPayload) {
            try COSESign1.decode(Self.message(payload: .null))
        }
    }

    @Test func criticalParameters() throws {
        let bytes = Self.message(protected: Self.header([1: -7, 2: [99, 1], 99: 1]))
        #expect(throws: COSEError.criticalHeader(99)) { try COSESign1.decode(bytes) }
        _ = try COSESign1.decode(bytes, understanding: [99])
    }

    @Test(arguments: [0, 63, 65, 72])
    func aSignatureOfAnotherLengthIsNone(length: Int) throws {
        let signature = Array(
            (hex(Self.r + Self.s) + [UInt8](repeating: 0, count: 8)).prefix(length))
        let message = try COSESign1.decode(Self.message(signature: .bytes(signature)))
        #expect(throws: COSEError.signature) { try message.verify(with: Self.key) }
    }
}
