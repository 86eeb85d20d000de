/// One row of the table: a figure, beside a limit or a peer that was measured in the same run.
struct Measurement: Encodable, Sendable {
    /// What a figure is held against.
    struct Yardstick: Encodable, Sendable {
        /// `"limit"`, or the peer's name: `"openssl speed, sign"`.
        let name: String
        /// In the measurement's unit.
        let value: Double

        static func limit(_ value: Double) -> Yardstick { Yardstick(name: "limit", value: value) }
    }

    /// What the ratio of the figure to its yardstick must be.
    enum Bound: Sendable {
        case atMost(Double)
        case atLeast(Double)

        func holds(_ ratio: Double) -> Bool {
            switch self {
            case .atMost(let limit): ratio <= limit
            case .atLeast(let limit): ratio >= limit
            }
        }
    }

    let name: String
    let value: Double
    /// `"ms"`, `"/s"`, `"MB"`, `"bytes"`.
    let unit: String
    /// Nil: a figure for information only.
    let yardstick: Yardstick?
    let bound: Bound?

    init(
        _ name: String, _ value: Double, _ unit: String, beside yardstick: Yardstick? = nil,
        _ bound: Bound? = nil
    ) {
        self.name = name
        self.value = value
        self.unit = unit
        self.yardstick = yardstick
        self.bound = bound
    }

    var ratio: Double? { yardstick.map { value / $0.value } }

    /// Nil: nothing is asked of it.
    var holds: Bool? {
        guard let ratio, let bound else { return nil }
        return bound.holds(ratio)
    }

    private enum Key: CodingKey {
        case name, value, unit, yardstick, ratio, ratioAtMost, ratioAtLeast, holds
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(value, forKey: .value)
        try container.encode(unit, forKey: .unit)
        try container.encodeIfPresent(yardstick, forKey: .yardstick)
        try container.encodeIfPresent(ratio, forKey: .ratio)
        switch bound {
        case .atMost(let limit): try container.encode(limit, forKey: .ratioAtMost)
        case .atLeast(let limit): try container.encode(limit, forKey: .ratioAtLeast)
        case nil: break
        }
        try container.encodeIfPresent(holds, forKey: .holds)
    }
}
