import CBOR
import CBORJudge
import Testing

/// PyPI's cbor2 reads what this library writes, and the other way round.
struct CBOR2Tests {
    typealias Generator = RoundTripTests.Generator

    /// Whether Python can tell the keys of every map in the value apart: 1, 1.0 and true are one
    /// there.
    private func hasPlainKeys(_ value: CBORValue) -> Bool {
        switch value {
        case .array(let items): items.allSatisfy(hasPlainKeys)
        case .tagged(_, let content): hasPlainKeys(content)
        case .map(let map):
            map.pairs.allSatisfy { pair in
                switch pair.key {
                case .unsigned, .negative, .bytes, .text: hasPlainKeys(pair.value)
                default: false
                }
            }
        default: true
        }
    }

    @Test func readsTheTable() throws {
        let judge = try CBOR2()
        for vector in AppendixATests.all {
            let encoding = hex(vector.encoding)
            #expect(try judge.deterministic(encoding) == vector.value.encoded(), "\(vector)")
        }
    }

    /// Both refuse the whole of Appendix F, save that cbor2 takes simple values below 20 in two
    /// bytes.
    @Test func refusesWhatIsMalformed() throws {
        let judge = try CBOR2()
        let accepted = (AppendixFTests.tooShort + AppendixFTests.syntaxErrors).filter {
            (try? judge.deterministic(hex($0))) != nil
        }
        #expect(accepted == ["f800", "f801"])
    }

    /// Whatever begins with any byte: both take it for the same value, or both refuse it.
    @Test func agreesOnShortInputs() throws {
        let judge = try CBOR2()
        var generator = Generator(seed: 7)
        let telling = hex("00 01 17 18 1f 20 40 41 5f 60 61 7f 80 81 9f a0 a1 bf c0 d8 f4 f8 f9 ff")
        var inputs = (UInt8.min ... .max).flatMap { first in telling.map { [first, $0] } }
        for _ in 0..<4000 {
            let first = UInt8.random(in: .min ... .max, using: &generator)
            let count = Int.random(in: 2...8, using: &generator)
            inputs.append(
                [first] + (0..<count).map { _ in telling.randomElement(using: &generator)! })
        }
        var accepted = 0
        let differing = inputs.filter { input in
            let ours = try? CBORValue.decode(input)
            if ours != nil { accepted += 1 }
            return ours?.encoded() != (try? judge.deterministic(input))
        }
        #expect(differing.map(digits) == ["f800", "f801", "f817"])
        #expect(accepted > 300)
    }

    private func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test func readsWhatIsWritten() throws {
        let judge = try CBOR2()
        var count = 0
        let failed = try (0..<1500).filter { seed in
            var generator = Generator(seed: seed)
            let value = generator.value(depth: 4)
            guard hasPlainKeys(value) else { return false }
            count += 1
            let encoding = value.encoded()
            let variant = value.variant(using: &generator)
            return try judge.deterministic(encoding) != encoding
                || judge.deterministic(variant) != encoding || CBORValue.decode(variant) != value
        }
        #expect(failed == [], "seeds")
        #expect(count > 1000)
    }

    @Test func writesWhatIsRead() throws {
        let judge = try CBOR2()
        let failed = try (0..<1500).filter { seed in
            let (encoding, deterministic) = try judge.make(seed: seed)
            let value = try CBORValue.decode(encoding)
            return try value.encoded() != deterministic
                || CBORValue.decode(deterministic, form: .deterministic) != value
        }
        #expect(failed == [], "seeds")
    }
}
