/// A stable code, a reason that names both sides, and what to do next.
///
/// Two errors are equal if their codes are.
public struct ProvisioningError: Error, Sendable, Hashable {
    public let code: ErrorCode
    /// Lower case, no full stop: `"the probe read 1f0c…, the evidence says 77b0…"`.
    public let reason: String
    public let hint: String?

    /// - Parameter hint: nil: what helps with every error of that code, if anything does.
    public init(_ code: ErrorCode, _ reason: String, hint: String? = nil) {
        self.code = code
        self.reason = reason
        self.hint = hint ?? code.hint
    }

    public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension ProvisioningError: CustomStringConvertible {
    /// The two lines that a terminal shows.
    public var description: String {
        let first = "error[\(code.rawValue)]: \(reason)"
        return hint.map { "\(first)\nhint: \($0)" } ?? first
    }
}
