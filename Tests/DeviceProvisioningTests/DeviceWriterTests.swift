import CBOR
import CBORJudge
import DeviceTestHAL
import Testing

extension DeviceTests {
    /// What the device's own CBOR writer makes of random values, read by the host and by cbor2.
    @Suite struct DeviceWriterTests {
        /// The device's writer: any values, read by both.
        @Test func bothReadWhatTheDeviceWrites() throws {
            let judge = try CBOR2()
            for seed in 0..<300 {
                var chance = SplitMix(state: UInt64(seed))
                let value = writable(depth: 3, &chance)
                let written = try write(value)
                #expect(try CBORValue.decode(written, form: .deterministic) == value, "\(seed)")
                #expect(try judge.deterministic(written) == written, "seed \(seed)")
                // A buffer that is too short by any count of octets.
                let capacity = Int.random(in: 0..<written.count, using: &chance)
                #expect(try write(value, capacity: capacity).isEmpty, "seed \(seed)")
            }
        }

        /// Values that the device's writer has a word for, with keys in the order of §4.2.1.
        private func writable(depth: Int, _ chance: inout SplitMix) -> CBORValue {
            switch Int.random(in: depth < 3 ? 0..<(depth > 0 ? 8 : 5) : 5..<8, using: &chance) {
            case 0: return .unsigned(UInt64(chance.number()))
            case 1: return .negative(UInt64(chance.number() >> 1))
            case 2: return .bytes(chance.bytes(0...300))
            case 3: return .text(chance.text(0...300))
            case 4: return .simple(Bool.random(using: &chance) ? 20 : 21)
            case 5: return .tagged(UInt64(chance.number()), writable(depth: depth - 1, &chance))
            case 6:
                let count = [0, 1, 3, depth > 1 ? 3 : 24].randomElement(using: &chance)!
                return .array((0..<count).map { _ in writable(depth: depth - 1, &chance) })
            default:
                var map = CBORMap()
                for _ in 0..<Int.random(in: 0...5, using: &chance) {
                    map[.unsigned(UInt64(chance.number()))] = writable(depth: depth - 1, &chance)
                    map[.text(chance.text(0...30))] = writable(depth: depth - 1, &chance)
                }
                map.pairs.sort {
                    $0.key.encoded().lexicographicallyPrecedes($1.key.encoded())
                }
                return .map(map)
            }
        }

        private func write(_ value: CBORValue, capacity: Int = 1 << 20) throws -> [UInt8] {
            var items: [test_item] = []
            var contents: [UnsafeMutablePointer<UInt8>] = []
            defer { for content in contents { content.deallocate() } }
            func add(_ kind: test_kind, _ number: Int, _ content: [UInt8]? = nil) {
                let copy = content.map { bytes in
                    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
                    copy.initialize(from: bytes, count: bytes.count)
                    contents.append(copy)
                    return copy
                }
                items.append(test_item(kind: kind, number: UInt32(number), bytes: copy))
            }
            func add(_ value: CBORValue) throws {
                switch value {
                case .unsigned(let number): add(TEST_UNSIGNED, Int(number))
                case .negative(let number): add(TEST_NEGATIVE, Int(number))
                case .bytes(let bytes): add(TEST_BYTES, bytes.count, bytes)
                case .text(let text): add(TEST_TEXT, text.utf8.count, Array(text.utf8))
                case .simple(let number): add(TEST_BOOL, Int(number) - 20)
                case .tagged(let number, let content):
                    add(TEST_TAG, Int(number))
                    try add(content)
                case .array(let elements):
                    add(TEST_ARRAY, elements.count)
                    for element in elements { try add(element) }
                case .map(let map):
                    add(TEST_MAP, map.pairs.count)
                    for pair in map.pairs {
                        try add(pair.key)
                        try add(pair.value)
                    }
                case .float: Issue.record("the device writes no floats")
                }
            }
            try add(value)
            var output = [UInt8](repeating: 0, count: capacity)
            let length = test_write(items, items.count, &output, capacity)
            return Array(output.prefix(length))
        }
    }
}
