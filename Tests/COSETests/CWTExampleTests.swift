import CBOR
public import COSE
import Testing

/// RFC 8392 Appendix A: the claims set A.1, the key A.2.3 and the signed token A.3.
struct CWTExampleTests {
    static let claims = hex(
        """
        a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b7703
        7818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0
        051a5610d9f0061a5610d9f007420b71
        """)
    static let privateKey = hex(
        """
        a72358206c1382765aec5358f117733d281c1c7bdc39884d04a45a1e6c67c858
        bc206c1922582060f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db
        9529971a36e7b9215820143329cce7868e416927599cf65a34f3ce2ffda55a7e
        ca69ed8919a394d42f0f2001010202524173796d6d6574726963454344534132
        35360326
        """)
    static let token = hex(
        """
        d28443a10126a104524173796d6d657472696345434453413235365850a70175
        636f61703a2f2f61732e6578616d706c652e636f6d02656572696b7703781863
        6f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a56
        10d9f0061a5610d9f007420b7158405427c1ff28d23fbad1f29c4c7c6a555e60
        1d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee
        743a52b9b63632c57209120e1c9e30
        """)

    /// A.2.3 without its private part, which a COSEKey refuses.
    static func key() throws -> COSEKey {
        var map = try #require(try CBORValue.decode(privateKey).map)
        map[-4] = nil
        return try COSEKey(cbor: .map(map))
    }

    static let validTime = NumericDate(seconds: 1_443_944_944)

    @Test func claimsSet() throws {
        let claims = try CWTClaims(cbor: CBORValue.decode(Self.claims))
        #expect(claims.issuer == "coap://as.example.com")
        #expect(claims.subject == "erikw")
        #expect(claims.audience == "coap://light.example.com")
        #expect(claims.expiration == NumericDate(seconds: 1_444_064_944))
        #expect(claims.notBefore == Self.validTime)
        #expect(claims.issuedAt == Self.validTime)
        #expect(claims.tokenID == [0x0b, 0x71])
        #expect(claims.confirmation == nil)
        #expect(claims.other.pairs.isEmpty)
        #expect(claims.cbor.encoded() == Self.claims)
    }

    @Test func signedToken() throws {
        let token = try CWT.decode(Self.token)
        let key = try Self.key()
        #expect(token.message.keyID == Array("AsymmetricECDSA256".utf8))
        #expect(token.message.keyID == key.keyID)
        let claims = try token.claims(signedBy: key, at: Self.validTime)
        #expect(claims.subject == "erikw")
        #expect(token.encoded() == Self.token)
    }

    @Test func theTagOfACWTIsOptional() throws {
        let tagged = [0xd8, 0x3d] + Self.token
        let token = try CWT.decode(tagged)
        #expect(token == (try CWT.decode(Self.token)))
        #expect(token.encoded(isTagged: true) == tagged)
    }

    @Test func theCOSETagIsRequired() {
        #expect(throws: COSEError.tag(expected: 18, found: nil)) {
            try CWT.decode(Array(Self.token.dropFirst()))
        }
        #expect(throws: COSEError.tag(expected: 18, found: 61)) {
            try CWT.decode([0xd8, 0x3d, 0xd8, 0x3d] + Self.token)
        }
    }

    @Test func aPrivateKeyIsRefused() {
        #expect(throws: COSEError.key("the COSE_Key carries a private key")) {
            try COSEKey(cbor: CBORValue.decode(Self.privateKey))
        }
    }

    @Test(
        arguments: [
            (1_443_944_943, 0, COSEError.notYetValid(before: 1_443_944_944, now: 1_443_944_943)),
            (1_443_944_943, 1, nil),
            (1_443_944_944, 0, nil),
            (1_444_064_943, 0, nil),
            (1_444_064_944, 0, COSEError.expired(at: 1_444_064_944, now: 1_444_064_944)),
            (1_444_064_944, 1, nil),
            (Int64.max, 9, COSEError.expired(at: 1_444_064_944, now: .init(seconds: .max))),
            (Int64.min, 9, COSEError.notYetValid(before: 1_443_944_944, now: .init(seconds: .min))),
        ] as [(Int64, UInt32, COSEError?)])
    func validity(seconds: Int64, leeway: UInt32, expected: COSEError?) throws {
        let token = try CWT.decode(Self.token)
        let key = try Self.key()
        let now = NumericDate(seconds: seconds)
        var error: COSEError?
        do throws(COSEError) {
            _ = try token.claims(signedBy: key, at: now, leeway: leeway)
        } catch let thrown {
            error = thrown
        }
        #expect(error == expected)
    }
}

extension NumericDate: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self.init(seconds: value) }
}
