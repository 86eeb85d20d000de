import CBOR
import Testing

/// Random values and random damage, the same in every run.
struct RoundTripTests {
    struct Generator: RandomNumberGenerator {
        private var state: UInt64
        init(seed: Int) { state = UInt64(seed) &+ 1 }

        // SplitMix64, Steele et al. 2014.
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }

        mutating func number() -> UInt64 { next() >> UInt64.random(in: 0..<64, using: &self) }

        mutating func bytes() -> [UInt8] {
            let count = Int.random(in: 0...40, using: &self)
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
        }

        mutating func float() -> Double {
            switch Int.random(in: 0..<3, using: &self) {
            case 0: Double(bitPattern: next())
            case 1: Double(Float(bitPattern: UInt32(truncatingIfNeeded: next())))
            default: Double(Int.random(in: -3000...3000, using: &self)) / 64
            }
        }

        mutating func value(depth: Int) -> CBORValue {
            switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
            case 0: return .unsigned(number())
            case 1: return .negative(number())
            case 2: return .bytes(bytes())
            case 3: return .text(String(decoding: bytes(), as: UTF8.self))
            case 4: return .simple([0, 16, 20, 21, 22, 23, 32, 255].randomElement(using: &self)!)
            case 5: return .float(float())
            case 6:
                let count = Int.random(in: 0...5, using: &self)
                return .array((0..<count).map { _ in value(depth: depth - 1) })
            case 7:
                var map = CBORMap()
                for _ in 0..<Int.random(in: 0...5, using: &self) {
                    map[value(depth: depth - 1)] = value(depth: depth - 1)
                }
                return .map(map)
            default: return .tagged(number(), value(depth: depth - 1))
            }
        }
    }

    @Test(arguments: 0..<500)
    func encodingsDecode(seed: Int) throws {
        var generator = Generator(seed: seed)
        let value = generator.value(depth: 4)
        let encoding = value.encoded()
        let decoded = try CBORValue.decode(encoding, form: .deterministic)
        #expect(decoded == value)
        #expect(decoded.hashValue == value.hashValue)
        #expect(decoded.encoded() == encoding)
        #expect(try CBORValue.decodePrefix(encoding + [0xFF]).length == encoding.count)
    }

    @Test(arguments: 0..<100)
    func truncationsFail(seed: Int) {
        var generator = Generator(seed: seed)
        let encoding = generator.value(depth: 4).encoded()
        for length in 0..<encoding.count {
            let error = #expect(throws: CBORError.self) {
                try CBORValue.decode(encoding.prefix(length))
            }
            #expect(error?.code == .truncated)
        }
    }

    /// A flipped bit is refused or is another value: never the same, never a trap.
    @Test(arguments: 0..<60)
    func damageShows(seed: Int) {
        var generator = Generator(seed: seed)
        let value = generator.value(depth: 2)
        let encoding = value.encoded()
        let unnoticed = (0..<encoding.count * 8).filter { bit in
            var damaged = encoding
            damaged[bit / 8] ^= 1 << (bit % 8)
            return (try? CBORValue.decode(damaged, form: .deterministic)) == value
        }
        #expect(unnoticed == [])
    }

    /// The decoder says while it reads what it would take to encode the value again.
    @Test(arguments: 0..<200)
    func whatIsDeterministicIsWhatEncodingMakes(seed: Int) {
        var generator = Generator(seed: seed)
        // Deep damage needs a tree, and other orders need a map.
        var encodings = [generator.value(depth: 3).encoded()]
        let map = CBORMap((0..<6).map { _ in .init(.int(Int(generator.number() >> 56)), 0) })
        for pair in map.pairs {
            let other = map.pairs.randomElement(using: &generator)!
            encodings.append([0xA2] + pair.key.encoded() + [0] + other.key.encoded() + [1])
        }
        for encoding in encodings {
            for bit in -1..<encoding.count * 8 {
                var damaged = encoding
                if bit >= 0 { damaged[bit / 8] ^= 1 << (bit % 8) }
                guard let (value, length) = try? CBORValue.decodePrefix(damaged) else { continue }
                let isDeterministic =
                    (try? CBORValue.decodePrefix(damaged, form: .deterministic)) != nil
                #expect(isDeterministic == (value.encoded() == Array(damaged[..<length])))
            }
        }
    }

    @Test func randomBytesNeverTrap() {
        var generator = Generator(seed: 1)
        var decodedCount = 0
        for _ in 0..<20_000 {
            if (try? CBORValue.decodePrefix(generator.bytes())) != nil { decodedCount += 1 }
        }
        #expect(decodedCount > 0)
    }

    /// Every half-precision float is written in its own two bytes.
    @Test func halvesKeepTheirBits() throws {
        let changed = try (UInt16.min ... .max).filter { bits in
            let encoding = [0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)]
            let isNaN = bits & 0x7C00 == 0x7C00 && bits & 0x03FF != 0
            let written = try CBORValue.decode(encoding).encoded()
            return written != (isNaN ? [0xF9, 0x7E, 0x00] : encoding)
        }
        #expect(changed == [])
    }

    @Test func floatsAreNotRounded() throws {
        let values: [Double] = [
            65505, 65536, 0x1p-25, 0x1.8p-24, 0x1.002p-14, 0x1.004p-14, 0x1.001p0, 0x1p128,
            0x1p-149, 0x1p-150, 0x1.ffffffp127, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
        ]
        for number in values + values.map(-) {
            let value = CBORValue.float(number)
            #expect(try CBORValue.decode(value.encoded()) == value)
        }
        #expect(CBORValue.float(0x1p-24).encoded() == hex("f90001"))
        #expect(CBORValue.float(0x1p-149).encoded() == hex("fa00000001"))
    }
}
