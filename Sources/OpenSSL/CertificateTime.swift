/// A whole second of the Gregorian calendar from 1950 to 9999: the Time of RFC 5280 §4.1.2.5.
public struct CertificateTime: Hashable, Comparable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
    public let seconds: Int64

    /// 99991231235959Z: there is no good expiry date, RFC 5280 §4.1.2.5.
    public static let noExpiry = CertificateTime(unchecked: 253_402_300_799)

    private static let earliest = CertificateTime(unchecked: -631_152_000)
    private static let secondsPerDay: Int64 = 86_400

    /// Nil for a second before 1950 or after 9999.
    public init?(seconds: Int64) {
        guard (Self.earliest.seconds...Self.noExpiry.seconds).contains(seconds) else { return nil }
        self.seconds = seconds
    }

    private init(unchecked seconds: Int64) { self.seconds = seconds }

    public static func < (a: CertificateTime, b: CertificateTime) -> Bool {
        a.seconds < b.seconds
    }

    /// UTCTime through 2049, GeneralizedTime from 2050 on.
    func write(to writer: inout DERWriter) {
        let digits = Array(description.utf8)
        if digits.starts(with: "19".utf8) || (digits.starts(with: "20".utf8) && digits[2] < 0x35) {
            writer.primitive(DERTag.utcTime, digits.dropFirst(2))
        } else {
            writer.primitive(DERTag.generalizedTime, digits)
        }
    }

    /// Reads what `write` writes, and nothing else.
    init(from reader: inout DERReader) throws(DERError) {
        let value = try reader.next()
        var digits = Array(value.content)
        if value.tag == DERTag.utcTime, digits.count == 13 {
            digits.insert(contentsOf: (digits[0] < 0x35 ? "20" : "19").utf8, at: 0)
        } else if value.tag != DERTag.generalizedTime {
            throw .unexpectedTag(expected: DERTag.utcTime, found: value.tag)
        }
        guard digits.count == 15, digits.popLast() == UInt8(ascii: "Z"),
            let time = Self(digits: digits), Array(time.description.utf8.dropLast()) == digits
        else { throw .badValue("a time") }
        self = time
    }

    /// From `YYYYMMDDHHMMSS`. A day that does not exist comes out as another one.
    private init?(digits: [UInt8]) {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let number = { (range: Range<Int>) in
            digits[range].reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        }
        let (hours, minutes, seconds) = (number(8..<10), number(10..<12), number(12..<14))
        guard (1...12).contains(number(4..<6)), hours < 24, minutes < 60, seconds < 60 else {
            return nil
        }
        let days = Self.days(year: number(0..<4), month: number(4..<6), day: number(6..<8))
        self.init(seconds: days * Self.secondsPerDay + hours * 3600 + minutes * 60 + seconds)
    }

    /// Days since 1970-01-01, counted in years that begin in March so that leap days come last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = (month + 9) % 12
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return marchYear * 365 + leapDays + dayOfYear - 719_468
    }
}

extension CertificateTime: CustomStringConvertible {
    /// `YYYYMMDDHHMMSSZ`.
    public var description: String {
        var days = seconds / Self.secondsPerDay
        var second = seconds % Self.secondsPerDay
        if second < 0 {
            second += Self.secondsPerDay
            days -= 1
        }
        // An estimate that is never too late, then the last year that has begun by this day.
        var year = days < 0 ? 1950 : 1970 + days / 366
        while Self.days(year: year + 1, month: 1, day: 1) <= days { year += 1 }
        var month = 12 as Int64
        while Self.days(year: year, month: month, day: 1) > days { month -= 1 }
        let day = days - Self.days(year: year, month: month, day: 1) + 1
        let fields = [year, month, day, second / 3600, second / 60 % 60, second % 60]
        return fields.map { ($0 < 10 ? "0" : "") + String($0) }.joined() + "Z"
    }
}
