import COSE
import Foundation

extension NumericDate {
    /// RFC 3339 in UTC, e.g. `"2026-11-21T10:00:00Z"`, for messages.
    var utc: String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}
