import CBOR
import Testing

struct CBORValueTests {
    @Test func integersOfBothSigns() {
        #expect(CBORValue.int(0).integer == 0)
        #expect(CBORValue.int(-1) == .negative(0))
        #expect(CBORValue.int(Int64.min) == .negative(UInt64(Int64.max)))
        #expect(CBORValue.int(Int64.min).integer == .min)
        #expect(CBORValue.int(Int64.max).integer == .max)
        #expect(CBORValue.unsigned(1 << 63).integer == nil)
        #expect(CBORValue.negative(1 << 63).integer == nil)
        #expect(CBORValue.text("1").integer == nil)
        #expect(CBORValue.int(-1).unsigned == nil)
        #expect(CBORValue.unsigned(.max).unsigned == .max)
    }

    @Test func accessorsTakeOnlyTheirOwnKind() {
        let values: [CBORValue] = [0, -1, .bytes([]), "", [], [:], .tagged(0, 0), .null, .float(0)]
        #expect(values.count { $0.integer != nil } == 2)
        #expect(values.count { $0.unsigned != nil } == 1)
        #expect(values.count { $0.bytes != nil } == 1)
        #expect(values.count { $0.text != nil } == 1)
        #expect(values.count { $0.array != nil } == 1)
        #expect(values.count { $0.map != nil } == 1)
        #expect(values.count { $0.bool != nil } == 0)
        #expect(values.count { $0.isNull } == 1)
        #expect(CBORValue.bool(true).bool == true)
        #expect(CBORValue.bool(false).bool == false)
    }

    @Test func nanIsItself() {
        #expect(CBORValue.float(.nan) == .float(.signalingNaN))
        #expect(CBORValue.float(.nan).hashValue == CBORValue.float(-.nan).hashValue)
        #expect(CBORValue.float(0.0) != .float(-0.0))
        #expect(CBORValue.float(1) != .int(1))
        var map = CBORMap()
        map[.float(.nan)] = 1
        map[.float(.nan)] = 2
        #expect(map.pairs.count == 1)
    }

    @Test func mapsAreEqualInAnyOrder() {
        let one: CBORMap = ["a": 1, "b": 2]
        let other: CBORMap = ["b": 2, "a": 1]
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one != ["a": 2, "b": 1])
        #expect(one != ["a": 1])
    }

    @Test func encodingSortsKeysBytewise() {
        // RFC 8949 §4.2.1's own example.
        let map: CBORMap = [
            false: 0, [-1]: 0, [100]: 0, "aa": 0, "z": 0, -1: 0, 100: 0, 10: 0,
        ]
        let order = hex("a8 0a00 186400 2000 617a00 62616100 81186400 812000 f400")
        #expect(CBORValue.map(map).encoded() == order)
    }

    @Test func theFirstOfEqualKeysIsWritten() {
        let map = CBORMap([.init("a", 1), .init("b", 2), .init("a", 3)])
        #expect(CBORValue.map(map).encoded() == hex("a2 6161 01 6162 02"))
        #expect(map["a"] == 1)
    }

    @Test func errorsNameTheirCodeAndOffset() {
        for code in CBORError.Code.allCases {
            let description = String(describing: CBORError(code, at: 17))
            #expect(description.contains(code.rawValue))
            #expect(description.contains("17"))
        }
    }
}
