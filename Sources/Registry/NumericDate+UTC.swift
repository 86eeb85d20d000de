import COSE
import Foundation

extension NumericDate {
    /// 1970 to 9999: what the registry takes for a time.
    static let registrable = 0...Int64(253_402_300_799)

    /// RFC 3339 in UTC, e.g. `"2026-11-21T10:00:00Z"`, for messages.
    var utc: String {
        guard Self.registrable.contains(seconds) else { return "second \(seconds)" }
        return Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}
