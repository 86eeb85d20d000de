/// The beginning of a signed report whose line another writer broke, until the line with its rest comes.
///
///     [1.2 s] PROVISION-EVIDENCE-1 0oRDoQEmoFjNqAih[WARN] sensor is hot
///     AaQBAiABIVggiio0n-N_5dUEgZKXlNzZBBnRoMZ8…
///
/// One break is mended: a device reports once in each boot, and a log of threads that do not wait for each
/// other is no reason to start it again. What is put together counts only if the key in it signed it.
struct TornReport {
    /// What followed the marker; its end may be the other writer's.
    private let digits: ArraySlice<UInt8>
    /// Lines that its rest may still be on.
    private var lineCount = Self.maximumLineCount

    /// The work for a log of broken beginnings is bounded by both: each line is tried with one of them only.
    private static let (maximumLineCount, maximumForeignDigitCount) = (8, 40)
    /// For each line. A break in the payload's head may leave two: four foreign digits make it longer by three
    /// octets where the first of them, in the place of the head's last digit, says so.
    private static let maximumWholeCount = 2
    /// A COSE_Sign1 with its tag, RFC 9052 §4.2: d2 84, and a byte string.
    private static let beginning = Array("0oR".utf8)

    /// - Parameter text: what follows a marker, up to the end of its line.
    init?(_ text: ArraySlice<UInt8>) {
        digits = text.prefix(while: ReportLine.isDigit)
        guard digits.count <= ReportLine.maximumDigitCount, digits.starts(with: Self.beginning)
        else { return nil }
    }

    var isHopeless: Bool { lineCount == 0 }

    /// What may be the whole report, if `line` has its rest: the longest digits of it, whatever stands before
    /// and behind them. Nobody has decoded it yet.
    mutating func wholes(withRestIn line: ArraySlice<UInt8>) -> [TornMessage] {
        lineCount -= 1
        guard let rest = Self.longestDigits(of: line) else { return [] }
        // Words begin with digits of base64url too. How many of them are not the report's, its length says.
        let foreign = 0...min(Self.maximumForeignDigitCount, digits.count - Self.beginning.count)
        let messages = foreign.lazy.map { [digits] in TornMessage(digits.dropLast($0), rest) }
        return Array(messages.filter(\.isWhole).prefix(Self.maximumWholeCount))
    }

    /// The last of the longest.
    private static func longestDigits(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        line.split { !ReportLine.isDigit($0) }.reversed().max { $0.count < $1.count }
    }
}
