import CBOR
import COSE
import OpenSSL
import Testing

struct COSEKeyTests {
    /// RFC 9679 §6.
    static let x = hex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d")
    static let y = hex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")
    static let thumbprint = hex(
        "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec")
    static let map: CBORMap = [1: 2, -1: 1, -2: .bytes(x), -3: .bytes(y)]

    static func map(_ change: (inout CBORMap) -> Void) -> CBORValue {
        var map = map
        change(&map)
        return .map(map)
    }

    @Test func thumbprint() throws {
        let key = try COSEKey(cbor: Self.map { $0[2] = .bytes(Array("bilbo".utf8)) })
        #expect(key.thumbprint == Self.thumbprint)
        #expect(key.publicKey == [0x04] + Self.x + Self.y)
        #expect(key == COSEKey(p256: [0x04] + Self.x + Self.y, keyID: Array("bilbo".utf8)))
        _ = try key.verificationKey()
    }

    @Test func aSignBitStandsForTheSamePoint() throws {
        // y ends in 9c: it is even.
        let key = try COSEKey(cbor: Self.map { $0[-3] = false })
        #expect(key.publicKey == [0x04] + Self.x + Self.y)
        #expect(key.thumbprint == Self.thumbprint)
        let other = try COSEKey(cbor: Self.map { $0[-3] = true })
        #expect(other.publicKey.prefix(33) == key.publicKey.prefix(33))
        #expect(other.publicKey != key.publicKey)
        _ = try other.verificationKey()
    }

    @Test func encodingIsDeterministicAndComesBack() throws {
        let key = try #require(COSEKey(p256: [0x04] + Self.x + Self.y, keyID: [1, 2]))
        let expected = hex("a501020242010220012158") + [0x20] + Self.x + hex("225820") + Self.y
        #expect(key.cbor.encoded() == expected)
        #expect(try COSEKey(cbor: CBORValue.decode(expected, form: .deterministic)) == key)
    }

    @Test func ed25519() throws {
        // RFC 8037 Appendix A.2.
        let raw = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        let key = try #require(COSEKey(ed25519: raw))
        #expect(key.cbor.encoded() == hex("a3010120062158") + [0x20] + raw)
        #expect(try COSEKey(cbor: key.cbor) == key)
        #expect(key.publicKey == raw)
        #expect(key.allows(.edDSA) && key.allows(.ed25519) && !key.allows(.es256))
    }

    @Test func algorithms() throws {
        let free = try COSEKey(cbor: Self.map { _ in })
        #expect(free.allows(.es256) && free.allows(.esp256))
        #expect(!free.allows(.edDSA) && !free.allows(.es384) && !free.allows(.init(rawValue: 0)))
        let restricted = try COSEKey(cbor: Self.map { $0[3] = -9 })
        #expect(restricted.allows(.esp256) && !restricted.allows(.es256))
    }

    static let malformed: [(String, CBORValue)] = [
        ("no map", .array([])),
        ("empty map", [:]),
        ("no key type", map { $0[1] = nil }),
        ("key type of OKP", map { $0[1] = 1 }),
        ("symmetric", map { $0[1] = 4 }),
        ("curve P-384", map { $0[-1] = 2 }),
        ("curve of OKP", map { $0[-1] = 6 }),
        ("no x", map { $0[-2] = nil }),
        ("short x", map { $0[-2] = .bytes(Array(x.dropFirst())) }),
        ("long x", map { $0[-2] = .bytes([0] + x) }),
        ("text x", map { $0[-2] = "x" }),
        ("no y", map { $0[-3] = nil }),
        ("short y", map { $0[-3] = .bytes(Array(y.dropLast())) }),
        ("null y", map { $0[-3] = .null }),
        (
            "x without a point",
            map {
                $0[-2] = .bytes([UInt8](repeating: 0xff, count: 32)); $0[-3] = true
            }
        ),
        ("private key", map { $0[-4] = .bytes(x) }),
        ("number as kid", map { $0[2] = 7 }),
        ("text as alg", map { $0[3] = "ES256" }),
    ]

    @Test(arguments: malformed)
    func malformedKeysAreRefused(name: String, value: CBORValue) {
        #expect(throws: COSEError.self) { try COSEKey(cbor: value) }
    }

    @Test func aPointBesideTheCurveCannotBeUsed() throws {
        let key = try COSEKey(cbor: Self.map { $0[-3] = .bytes(Self.x) })
        #expect(throws: COSEError.self) { try key.verificationKey() }
        #expect(COSEKey(p256: [0x02] + Self.x) == nil)
        #expect(COSEKey(p256: []) == nil)
        #expect(COSEKey(ed25519: [1]) == nil)
    }

    @Test func aSetIgnoresWhatItDoesNotUnderstand() throws {
        let good = try #require(COSEKey(p256: [0x04] + Self.x + Self.y, keyID: [7]))
        let set = try COSEKeySet(cbor: [good.cbor, [1: 4], 0])
        #expect(set.keys == [good])
        #expect(set.ignoredCount == 2)
        #expect(set.keys(withID: [7]) == [good])
        #expect(set.keys(withID: [8]).isEmpty)
        #expect(set.key(withThumbprint: Self.thumbprint) == good)
        #expect(throws: COSEError.self) { try COSEKeySet(cbor: []) }
        #expect(throws: COSEError.self) { try COSEKeySet(cbor: [:]) }
    }
}
