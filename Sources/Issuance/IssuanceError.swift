/// Why a plan cannot become a credential: the reason names the value at fault.
public struct IssuanceError: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String

    public init(_ reason: String) { self.reason = reason }

    public var description: String { reason }
}
