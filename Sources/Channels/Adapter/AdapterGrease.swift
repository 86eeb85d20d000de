import PlatformAdapter

/// What is sent now and then that no adapter can know, so that adapters stay open to what later versions
/// of the protocol send. The idea is RFC 8701's.
public struct AdapterGrease: Sendable {
    public enum Amount: Sendable { case never, sometimes, always }

    private let amount: Amount
    private var generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()

    public init(_ amount: Amount = .sometimes) { self.amount = amount }

    /// The versions that a hello names. One is from a range that is kept free for this.
    mutating func versions() -> [Int] {
        guard amount != .never else { return [AdapterProtocol.version] }
        return [AdapterProtocol.version, Int.random(in: 0x8000...0xFFFF, using: &generator)]
            .shuffled(using: &generator)
    }

    /// The name of a request that is to be sent before the next; nil: none.
    mutating func request() -> String? { isDue(oneOf: 8) ? word() : nil }

    /// `fields` with others between them.
    mutating func mixed(_ fields: [AdapterLine.Field]) -> [AdapterLine.Field] {
        guard isDue(oneOf: 3) else { return fields }
        var fields = fields
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 0...fields.count, using: &generator)
            fields.insert(AdapterLine.Field(word(), value()), at: place)
        }
        return fields
    }

    private mutating func isDue(oneOf count: Int) -> Bool {
        switch amount {
        case .never: false
        case .sometimes: Int.random(in: 0..<count, using: &generator) == 0
        case .always: true
        }
    }

    private mutating func value() -> AdapterLine.Value {
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: .flag(Bool.random(using: &generator))
        case 1: .integer(Int.random(in: -1...Int(Int32.max), using: &generator))
        case 2: .texts([word(), "\"\\", "é€😀"])
        case 3:
            .object([AdapterLine.Field(word(), .object([AdapterLine.Field(word(), .flag(true))]))])
        default: .text("\"do\":\"\(word())\",{[\n")
        }
    }

    /// `x-` stands before nothing that this protocol will ever mean.
    private mutating func word() -> String {
        let letters = (0..<6).map { _ in
            UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"), using: &generator)
        }
        return "x-" + String(decoding: letters, as: UTF8.self)
    }
}
