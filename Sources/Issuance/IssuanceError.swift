/// Why a plan cannot become a credential: the reason names the value at fault.
public struct IssuanceError: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String
    /// What to do next, where there is something.
    public let hint: String?

    public init(_ reason: String, hint: String? = nil) {
        self.reason = reason
        self.hint = hint
    }

    public var description: String { reason }
}
