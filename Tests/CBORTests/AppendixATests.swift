import CBOR
import Testing

/// RFC 8949 Appendix A, the whole table.
struct AppendixATests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let encoding: String
        let value: CBORValue
        /// Whether the encoding is the deterministic one.
        let isDeterministic: Bool
        var testDescription: String { encoding }

        init(_ encoding: String, _ value: CBORValue, deterministic: Bool = true) {
            self.encoding = encoding
            self.value = value
            isDeterministic = deterministic
        }
    }

    static let integers: [Vector] = [
        Vector("00", 0),
        Vector("01", 1),
        Vector("0a", 10),
        Vector("17", 23),
        Vector("1818", 24),
        Vector("1819", 25),
        Vector("1864", 100),
        Vector("1903e8", 1000),
        Vector("1a000f4240", 1_000_000),
        Vector("1b000000e8d4a51000", 1_000_000_000_000),
        Vector("1bffffffffffffffff", .unsigned(.max)),
        Vector("c249010000000000000000", .tagged(2, .bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))),
        Vector("3bffffffffffffffff", .negative(.max)),
        Vector("c349010000000000000000", .tagged(3, .bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))),
        Vector("20", -1),
        Vector("29", -10),
        Vector("3863", -100),
        Vector("3903e7", -1000),
    ]

    static let floats: [Vector] = [
        Vector("f90000", .float(0.0)),
        Vector("f98000", .float(-0.0)),
        Vector("f93c00", .float(1.0)),
        Vector("fb3ff199999999999a", .float(1.1)),
        Vector("f93e00", .float(1.5)),
        Vector("f97bff", .float(65504.0)),
        Vector("fa47c35000", .float(100000.0)),
        Vector("fa7f7fffff", .float(3.4028234663852886e+38)),
        Vector("fb7e37e43c8800759c", .float(1.0e+300)),
        Vector("f90001", .float(5.960464477539063e-8)),
        Vector("f90400", .float(0.00006103515625)),
        Vector("f9c400", .float(-4.0)),
        Vector("fbc010666666666666", .float(-4.1)),
        Vector("f97c00", .float(.infinity)),
        Vector("f97e00", .float(.nan)),
        Vector("f9fc00", .float(-.infinity)),
        Vector("fa7f800000", .float(.infinity), deterministic: false),
        Vector("fa7fc00000", .float(.nan), deterministic: false),
        Vector("faff800000", .float(-.infinity), deterministic: false),
        Vector("fb7ff0000000000000", .float(.infinity), deterministic: false),
        Vector("fb7ff8000000000000", .float(.nan), deterministic: false),
        Vector("fbfff0000000000000", .float(-.infinity), deterministic: false),
    ]

    static let simpleAndTagged: [Vector] = [
        Vector("f4", false),
        Vector("f5", true),
        Vector("f6", .null),
        Vector("f7", .undefined),
        Vector("f0", .simple(16)),
        Vector("f8ff", .simple(255)),
        Vector(
            "c074323031332d30332d32315432303a30343a30305a", .tagged(0, "2013-03-21T20:04:00Z")),
        Vector("c11a514b67b0", .tagged(1, 1_363_896_240)),
        Vector("c1fb41d452d9ec200000", .tagged(1, .float(1363896240.5))),
        Vector("d74401020304", .tagged(23, .bytes([1, 2, 3, 4]))),
        Vector("d818456449455446", .tagged(24, .bytes(hex("6449455446")))),
        Vector(
            "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
            .tagged(32, "http://www.example.com")),
    ]

    static let strings: [Vector] = [
        Vector("40", .bytes([])),
        Vector("4401020304", .bytes([1, 2, 3, 4])),
        Vector("60", ""),
        Vector("6161", "a"),
        Vector("6449455446", "IETF"),
        Vector("62225c", "\"\\"),
        Vector("62c3bc", "\u{00fc}"),
        Vector("63e6b0b4", "\u{6c34}"),
        Vector("64f0908591", "\u{10151}"),
        Vector("5f42010243030405ff", .bytes([1, 2, 3, 4, 5]), deterministic: false),
        Vector("7f657374726561646d696e67ff", "streaming", deterministic: false),
    ]

    static let oneTo25 = CBORValue.array((1...25).map { .int($0) })

    static let collections: [Vector] = [
        Vector("80", []),
        Vector("83010203", [1, 2, 3]),
        Vector("8301820203820405", [1, [2, 3], [4, 5]]),
        Vector("98190102030405060708090a0b0c0d0e0f101112131415161718181819", oneTo25),
        Vector("a0", [:]),
        Vector("a201020304", [1: 2, 3: 4]),
        Vector("a26161016162820203", ["a": 1, "b": [2, 3]]),
        Vector("826161a161626163", ["a", ["b": "c"]]),
        Vector(
            "a56161614161626142616361436164614461656145",
            ["a": "A", "b": "B", "c": "C", "d": "D", "e": "E"]),
        Vector("9fff", [], deterministic: false),
        Vector("9f018202039f0405ffff", [1, [2, 3], [4, 5]], deterministic: false),
        Vector("9f01820203820405ff", [1, [2, 3], [4, 5]], deterministic: false),
        Vector("83018202039f0405ff", [1, [2, 3], [4, 5]], deterministic: false),
        Vector("83019f0203ff820405", [1, [2, 3], [4, 5]], deterministic: false),
        Vector(
            "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", oneTo25,
            deterministic: false),
        Vector("bf61610161629f0203ffff", ["a": 1, "b": [2, 3]], deterministic: false),
        Vector("826161bf61626163ff", ["a", ["b": "c"]], deterministic: false),
        Vector("bf6346756ef563416d7421ff", ["Fun": true, "Amt": -2], deterministic: false),
    ]

    static let all = integers + floats + simpleAndTagged + strings + collections

    /// Table 6 has 81 rows. None is refused: the strict forms only want it deterministic.
    @Test func theTableIsComplete() {
        #expect(Self.all.count == 81)
        #expect(Set(Self.all.map(\.encoding)).count == 81)
        #expect(Self.all.count { !$0.isDeterministic } == 17)
    }

    @Test(arguments: all)
    func decodes(_ vector: Vector) throws {
        #expect(try CBORValue.decode(hex(vector.encoding)) == vector.value)
    }

    @Test(arguments: all.filter(\.isDeterministic))
    func encodes(_ vector: Vector) throws {
        #expect(vector.value.encoded() == hex(vector.encoding))
        #expect(
            try CBORValue.decode(hex(vector.encoding), form: .deterministic) == vector.value)
    }

    @Test(arguments: all.filter { !$0.isDeterministic })
    func refusesWhatIsNotDeterministic(_ vector: Vector) {
        let error = #expect(throws: CBORError.self) {
            try CBORValue.decode(hex(vector.encoding), form: .deterministic)
        }
        #expect(error?.code == .notDeterministic)
    }

    /// Appendix F.1, "too much data".
    @Test(arguments: all)
    func nothingStandsBehind(_ vector: Vector) {
        let encoding = hex(vector.encoding)
        for byte: UInt8 in [0x00, 0x40, 0xA0, 0xF6, 0xFF] {
            let error = #expect(throws: CBORError.self) { try CBORValue.decode(encoding + [byte]) }
            #expect(error == CBORError(.trailing, at: encoding.count))
        }
    }

    @Test(arguments: all)
    func isTruncatedAtEachByte(_ vector: Vector) {
        let encoding = hex(vector.encoding)
        for length in 0..<encoding.count {
            let error = #expect(throws: CBORError.self) {
                try CBORValue.decode(encoding.prefix(length))
            }
            #expect(error?.code == .truncated)
        }
    }
}
