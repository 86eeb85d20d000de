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
        "\(phase.rawValue), \(total > 0 ? 100 * done / total : 100) %"
    }
}
