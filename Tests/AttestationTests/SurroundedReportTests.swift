import BadLine
import Testing

@testable import Attestation

/// Whatever stands around it at random, a signed report is found, and no other.
@Suite struct SurroundedReportTests {
    private static let line = Array(ReportLineTests.line.utf8)
    private static let seeds = 0..<300

    /// Before a line, as loggers and tools write it.
    private static let prefixes = [
        "", "[00:00:00.012,345] <inf> main: ", "0.000123 [INFO ] ", "12:33:07.123: ",
        "\u{1b}[0;32mI (312) main: ", "\u{1b}[1;32m[INFO ]\u{1b}[0m ", "2026-02-23T13:57:59Z ",
        "\u{0}", "\t", "app[17]: ", "\u{1b}]0;board\u{7}",
    ]
    private static let suffixes = [
        "", "\u{1b}[0m", " (app src/main.rs:17)", "\u{1b}[0m\u{1b}[K", " ", "\t#1", "\u{0}",
    ]
    private static let ends = ["\n", "\r\n", "\r", "\n\n", "\n\r"]
    private static let texts = [
        "boot", "sensor is hot", "PROVISION-EVI", "PROVISION-EVIDENCE-1", "0x20001234 0oRD",
        "CoAP server identity:", "PROVISION-EVIDENCE-1 0oRD", "\u{2514}\u{2500} src/main.rs:17",
        "{8:{1:", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\u{1b}[12;", "d2845",
    ]

    private static func line(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        let parts = [prefixes, texts, suffixes, ends].compactMap {
            $0.randomElement(using: &random)
        }
        return Array(parts.joined().utf8)
    }

    private static func lines(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in line(&random) }
    }

    /// Those that somebody signed.
    private static func reports(
        _ log: [UInt8], _ random: inout some RandomNumberGenerator
    ) -> [DeviceReport] {
        var scanner = ReportScanner()
        var findings: [ReportScanner.Finding] = []
        var rest = log[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...200, using: &random)
            findings += scanner.push(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        let anyone = ReportExpectation(board: nil, probedID: nil)
        return (findings + scanner.finish()).compactMap { finding in
            guard case .report(let report) = finding,
                (try? Verifier.appraise(report: report, against: anyone)) != nil
            else { return nil }
            return report
        }
    }

    @Test(arguments: seeds) func isFoundAndNoOther(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let expected = DeviceReport.evidence(try Evidence(Vector.named("good").bytes))
        let prefix = Self.prefixes.randomElement(using: &random) ?? ""
        let suffix = Self.suffixes.randomElement(using: &random) ?? ""
        let end = Self.ends.randomElement(using: &random) ?? "\n"
        var report = Self.line
        if Bool.random(using: &random) {
            // One other line in its middle, complete, as a thread prints it.
            let place = Int.random(in: 40...(report.count - 60), using: &random)
            report.insert(contentsOf: Array("[WARN] hot\(end)".utf8), at: place)
        }
        let before = Self.lines(&random)
        let log =
            before + (before.isEmpty ? [] : [10]) + Array(prefix.utf8) + report
            + Array((suffix + end).utf8) + Self.lines(&random)
        let found = Self.reports(log, &random)
        #expect(found == [expected], "\(String(decoding: log, as: UTF8.self).debugDescription)")
    }

    /// The same without a digit, or with another: nobody signed it.
    @Test(arguments: seeds) func ofADamagedOneNoneIsMade(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var report = Self.line
        let place = Int.random(in: 21..<report.count, using: &random)
        if Bool.random(using: &random) {
            report.remove(at: place)
        } else {
            report[place] = report[place] == 0x41 ? 0x42 : 0x41
        }
        let log = Self.lines(&random) + [10] + report + [10] + Self.lines(&random)
        #expect(Self.reports(log, &random).isEmpty)
    }
}
