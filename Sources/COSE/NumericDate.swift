/// Seconds since 1970-01-01T00:00:00Z, without leap seconds. RFC 8392 §2.
public struct NumericDate: Hashable, Comparable, Sendable {
    public var seconds: Int64

    public init(seconds: Int64) { self.seconds = seconds }

    public static func < (a: NumericDate, b: NumericDate) -> Bool { a.seconds < b.seconds }
}
