import COSE

extension NumericDate {
    /// 1970 to 9999: what the registry takes for a time.
    static let registrable = 0...Int64(253_402_300_799)

    /// RFC 3339 in UTC, e.g. `"2026-11-21T10:00:00Z"`; `"second -1"` where the year has no four digits,
    /// or is before 1970. A listing of a million rows can't wait for Foundation's formatter.
    package var utc: String {
        guard Self.registrable.contains(seconds) else { return "second \(seconds)" }
        let (days, second) = Int(seconds).quotientAndRemainder(dividingBy: 86400)
        let (year, month, day) = Self.civil(days)
        return String(unsafeUninitializedCapacity: 20) { text in
            var end = 0
            func put(_ number: Int, _ length: Int, _ separator: Unicode.Scalar) {
                var rest = number
                for index in (end..<end + length).reversed() {
                    text[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                text[end + length] = UInt8(ascii: separator)
                end += length + 1
            }
            put(year, 4, "-")
            put(month, 2, "-")
            put(day, 2, "T")
            put(second / 3600, 2, ":")
            put(second / 60 % 60, 2, ":")
            put(second % 60, 2, "Z")
            return end
        }
    }

    /// The date in the Gregorian calendar, so many days after 1970-01-01. Counted from a 1 March, leap
    /// days are the last of their years, and months have 30.6 days on average: (5 m + 2) / 153.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        // From 1 March of year 0; 400 years have 146,097 days.
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isNextYear = month >= 10
        return (
            era * 400 + yearOfEra + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3, day
        )
    }
}
