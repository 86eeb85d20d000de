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
    /// A COSE_Sign1 with its tag, RFC 9052 §4.2: d2 84, and a byte string.
    private static let beginning = Array("0oR".utf8)

    /// - Parameter text: what follows a marker, up to the end of its line.
    init?(_ text: ArraySlice<UInt8>) {
        digits = text.prefix(while: ReportLine.isDigit)
        guard digits.count <= ReportLine.maximumDigitCount, digits.starts(with: Self.beginning)
        else { return nil }
    }

    var isHopeless: Bool { lineCount == 0 }

    /// The report, if `line` has its rest: the longest digits of it, whatever stands before and behind them.
    mutating func report(withRestIn line: ArraySlice<UInt8>) -> DeviceReport? {
        lineCount -= 1
        guard let rest = Self.longestDigits(of: line) else { return nil }
        // Words begin with digits of base64url too. How many of them are not the report's, its length says:
        // all but one number leave a message that is cut or has something behind it.
        let foreign = 0...min(Self.maximumForeignDigitCount, digits.count - Self.beginning.count)
        for count in foreign {
            let whole = digits.dropLast(count) + rest
            guard whole.count <= ReportLine.maximumDigitCount, whole.count % 4 != 1,
                let evidence = try? ReportLine.evidence(encodedIn: whole)
            else { continue }
            let report = DeviceReport.evidence(evidence)
            let anyone = ReportExpectation(board: nil, probedID: nil)
            if (try? Verifier.appraise(report: report, against: anyone)) != nil { return report }
        }
        return nil
    }

    /// The last of the longest.
    private static func longestDigits(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        line.split { !ReportLine.isDigit($0) }.reversed().max { $0.count < $1.count }
    }
}
