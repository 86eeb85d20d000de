import CBOR
import Testing

struct HostileInputTests {
    private func code(
        _ bytes: [UInt8], form: CBORForm = .wellFormed, limits: CBORLimits = .standard
    ) -> CBORError.Code? {
        do {
            _ = try CBORValue.decode(bytes, form: form, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func aHugeCountAllocatesNothing() {
        #expect(code(hex("9a0fffffff")) == .tooManyItems)
        #expect(code(hex("9bffffffffffffffff")) == .tooManyItems)
        #expect(code(hex("bb7fffffffffffffff")) == .tooManyItems)
        #expect(code(hex("bb8000000000000000")) == .tooManyItems)
        #expect(code(hex("bbffffffffffffffff")) == .tooManyItems)
        let unlimited = CBORLimits(itemCount: .max)
        #expect(code(hex("9a0fffffff"), limits: unlimited) == .truncated)
        #expect(code(hex("9b7fffffffffffffff"), limits: unlimited) == .tooManyItems)
        #expect(code(hex("5bffffffffffffffff"), limits: unlimited) == .truncated)
        #expect(code(hex("7b8000000000000000"), limits: unlimited) == .truncated)
    }

    @Test(arguments: [UInt8(0x81), 0x9F, 0xC1, 0xD2, 0xD9])
    func depthIsBounded(_ head: UInt8) {
        let open: [UInt8] = head == 0xD9 ? [0xD9, 0x01, 0x00] : [head]
        let close: [UInt8] = head == 0x9F ? [0xFF] : []
        func nested(_ depth: Int) -> [UInt8] {
            (0..<depth).flatMap { _ in open } + [0] + (0..<depth).flatMap { _ in close }
        }
        #expect(code(nested(16)) == nil)
        #expect(code(nested(17)) == .tooDeep)
        #expect(code(nested(100_000)) == .tooDeep)
        #expect(code(nested(256), limits: CBORLimits(depth: .max)) == nil)
        #expect(code(nested(257), limits: CBORLimits(depth: .max)) == .tooDeep)
    }

    @Test func chunkedStringsAreALevel() {
        let nested = [UInt8](repeating: 0x81, count: 15) + hex("5f4100ff")
        #expect(code(nested) == nil)
        #expect(code([0x81] + nested) == .tooDeep)
    }

    @Test func itemsAreCounted() {
        let limits = CBORLimits(itemCount: 4)
        #expect(code(hex("83000000"), limits: limits) == nil)
        #expect(code(hex("8400000000"), limits: limits) == .tooManyItems)
        #expect(code(hex("9f000000ff"), limits: limits) == nil)
        #expect(code(hex("9f00000000ff"), limits: limits) == .tooManyItems)
        #expect(code(hex("5f410041004100ff"), limits: limits) == nil)
        #expect(code(hex("5f4100410041004100ff"), limits: limits) == .tooManyItems)
        #expect(code(hex("a10000"), limits: limits) == nil)
        #expect(code(hex("a200000100"), limits: limits) == .tooManyItems)
        #expect(code([UInt8](repeating: 0x9F, count: 10), limits: limits) == .tooManyItems)
        #expect(code(hex("00"), limits: CBORLimits(itemCount: 0)) == .tooManyItems)
        #expect(code(hex("00"), limits: CBORLimits(itemCount: -1)) == .tooManyItems)
    }

    @Test func bytesAreCounted() {
        #expect(code(hex("430000ff"), limits: CBORLimits(byteCount: 4)) == nil)
        #expect(code(hex("430000ff"), limits: CBORLimits(byteCount: 3)) == .tooLarge)
    }

    @Test func trailingBytesAreRefused() throws {
        let error = #expect(throws: CBORError.self) { try CBORValue.decode(hex("820102 00")) }
        #expect(error == CBORError(.trailing, at: 3))
        let prefix = try CBORValue.decodePrefix(hex("820102 00"))
        #expect(prefix.value == [1, 2])
        #expect(prefix.length == 3)
        // Garbage behind the item is nobody's business here.
        #expect(try CBORValue.decodePrefix(hex("00ff")).length == 1)
    }

    @Test(arguments: [
        "a200010002", "bf61610161610 2ff", "a2626161015f416141 61ff02", "a2 00 01 1800 02",
        "a2 f97e00 01 fb7ff8000000000001 02", "a2 a201020304 00 a203040102 00",
        "81a2 4100 f6 5f4100ff f6", "a3 00 00 01 00 1b0000000000000001 00",
    ])
    func duplicateKeysAreRefused(_ encoding: String) {
        let bytes = hex(encoding)
        // The third of the list has a text and a byte string of the same octets: not the same.
        let expected: CBORError.Code? = encoding.hasPrefix("a26261") ? nil : .duplicateKey
        #expect(code(bytes) == expected)
    }

    /// Few keys are looked for in another way than many.
    @Test(arguments: [1, 2, 15, 16, 17, 18, 24], [true, false])
    func aDuplicateIsFoundInMapsOfAnySize(pairs: Int, isDefinite: Bool) {
        for duplicate in 0..<pairs {
            let keys = Array(0..<pairs) + [duplicate]
            var items: [UInt8] = []
            for key in keys { items += CBORValue.unsigned(UInt64(key)).encoded() + [0xF6] }
            // A duplicate of a one-byte key is two octets at the end.
            #expect(code(Self.map(items, isDefinite ? keys.count : nil)) == .duplicateKey)
            #expect(code(Self.map(items.dropLast(2), isDefinite ? pairs : nil)) == nil)
        }
    }

    /// - Parameter count: nil: of indefinite length.
    private static func map(_ items: some Collection<UInt8>, _ count: Int?) -> [UInt8] {
        guard let count else { return [0xBF] + items + [0xFF] }
        return [0xB8, UInt8(count)] + items
    }

    /// Two keys that are the same map in another order, on each of 15 levels: a comparison that took
    /// twice as long with every level would take seconds for 185 bytes, and for ever at 100 levels.
    @Test(arguments: [15, 100])
    func deepKeysInAnotherOrderAreCompared(depth: Int) {
        func nested(_ depth: Int, isReversed: Bool) -> [UInt8] {
            guard depth > 0 else { return [0] }
            let rest = isReversed ? hex("0200 0100") : hex("0100 0200")
            return [0xA3] + nested(depth - 1, isReversed: isReversed) + [0] + rest
        }
        let keys = [false, true].map { nested(depth, isReversed: $0) + [0] }
        let limits = CBORLimits(depth: depth + 1)
        #expect(code([0xA2] + keys[0] + keys[1], limits: limits) == .duplicateKey)
        #expect(code([0xA1] + keys[0], limits: limits) == nil)
    }

    @Test func keysThatOnlyLookAlikeAreTwo() {
        // ü composed and decomposed; +0 and −0; 1 and 1.0.
        #expect(code(hex("a2 62c3bc 00 6375cc88 01")) == nil)
        #expect(code(hex("a2 f90000 00 f98000 01")) == nil)
        #expect(code(hex("a2 01 00 f93c00 01")) == nil)
        #expect(CBORValue.text("\u{fc}") != .text("u\u{308}"))
    }

    @Test(arguments: [
        "61ff", "62c328", "63eda080", "64f4908080", "61c3", "62c0af", "7f61c361bcff",
        "a161ff00", "7f6161 61ff ff",
    ])
    func textIsUTF8(_ encoding: String) {
        #expect(code(hex(encoding)) == .notUTF8)
    }

    @Test(arguments: [
        ("1800", 0), ("190017", 0), ("1a00000001", 0), ("1b0000000000000001", 0), ("3817", 0),
        ("5800", 0), ("7800", 0), ("9800", 0), ("b800", 0), ("d81200", 0), ("5fff", 0),
        ("7fff", 0), ("9fff", 0), ("bfff", 0), ("a2020001 00", 1), ("a2 2000 186400", 1),
        ("a2 6162 00 6161 00", 2), ("a2 626161 00 6162 00", 1), ("fa3fc00000", 0),
        ("fb3ff8000000000000", 0), ("f97e01", 2), ("fa7f800001", 0), ("82 00 1801", 2),
    ])
    func otherEncodingsAreNotDeterministic(_ encoding: String, at offset: Int) {
        #expect(code(hex(encoding)) == nil)
        let error = #expect(throws: CBORError.self) {
            try CBORValue.decode(hex(encoding), form: .deterministic)
        }
        #expect(error == CBORError(.notDeterministic, at: offset))
    }

    /// Each short tag and each simple value: libcbor 0.8 refuses some of both.
    @Test func shortTagsAndSimpleValuesAllDecode() throws {
        for tag in UInt64(0)...300 {
            let value = CBORValue.tagged(tag, 0)
            #expect(try CBORValue.decode(value.encoded(), form: .deterministic) == value)
        }
        for number in UInt8.min...255 where !(24...31).contains(number) {
            let value = CBORValue.simple(number)
            #expect(try CBORValue.decode(value.encoded(), form: .deterministic) == value)
        }
    }

    @Test func slicesAndOtherCollectionsDecode() throws {
        let bytes = hex("ffff820102ffff")
        #expect(try CBORValue.decode(bytes[2..<5]) == [1, 2])
        #expect(try CBORValue.decode(repeatElement(UInt8(0), count: 1)) == 0)
        let error = #expect(throws: CBORError.self) { try CBORValue.decode(bytes[2..<4]) }
        #expect(error == CBORError(.truncated, at: 2))
        #expect(code([]) == .truncated)
    }
}
