/// How far flashing is. Each phase has bytes of its own, from none to all.
public struct FlashProgress: Sendable, Hashable, CustomStringConvertible {
    public enum Phase: String, Sendable, Hashable {
        case erase = "erasing"
        case write = "writing"
        case verify = "verifying"
    }

    public let phase: Phase
    /// Bytes of this phase.
    public let done: Int
    public let total: Int

    /// `verifying, 40 %`.
    public var description: String {
        "\(phase.rawValue), \(Self.percentage(done, of: total)) %"
    }

    /// 0 to 100, whatever an adapter counts.
    package static func percentage(_ done: Int, of total: Int) -> Int {
        guard total > 0 else { return 100 }
        return Int(100 * min(1, max(0, Double(done) / Double(total))))
    }
}
