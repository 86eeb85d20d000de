import Foundation
import Testing

@testable import Attestation

/// A report whose line another writer broke, once, is put together.
@Suite struct TornReportTests {
    private static let line = Array(ReportLineTests.line.utf8)
    /// Octets of the line up to where a break can be mended: the marker, and what tells a COSE_Sign1.
    private static let first = ReportLine.marker.utf8.count + 3

    /// Those that somebody signed.
    private static func reports(_ log: [UInt8], pieces count: Int = .max) -> [DeviceReport] {
        var scanner = ReportScanner()
        var findings: [ReportScanner.Finding] = []
        var rest = log[...]
        while !rest.isEmpty {
            findings += scanner.push(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return (findings + scanner.finish()).compactMap { finding in
            guard case .report(let report) = finding else { return nil }
            let anyone = ReportExpectation(board: nil, probedID: nil)
            return (try? Verifier.appraise(report: report, against: anyone)) == nil ? nil : report
        }
    }

    private static func broken(at place: Int, by text: String, end: String = "\n") -> [UInt8] {
        Array("[0.1] boot\n".utf8) + line[..<place] + Array(text.utf8) + line[place...]
            + Array(end.utf8)
    }

    /// What another thread prints at once, and what a tool writes before each line.
    static let texts = [
        "[WARN] sensor is hot\n", "\n[WARN] sensor is hot\n", "\r\n[WARN] a\r\n[WARN] b\r\n",
        "\u{1b}[33mW (312) wifi: lost\u{1b}[0m\r\n", "warning: hot\n", "A\n", "hello_world-42\n",
        "\n12:33:07.123: [INFO ] up\n12:33:07.124: ", " <wrn> hot ", "0x20001234\n\n\n",
    ]

    @Test(arguments: texts) func isPutTogether(_ text: String) throws {
        let expected = Self.reports(Self.line)
        try #require(expected.count == 1)
        for place in stride(from: Self.first, to: Self.line.count - 11, by: 1) {
            let log = Self.broken(at: place, by: text)
            #expect(Self.reports(log) == expected, "\(text.debugDescription) at \(place)")
        }
        let log = Self.broken(at: 200, by: text, end: "\r\n[INFO] up\n")
        for count in [1, 2, 7, 64] { #expect(Self.reports(log, pieces: count) == expected) }
    }

    /// With four digits of another writer in the middle, the payload's length is three more: that fits too.
    @Test func aBreakThatChangesTheLengthIsPutTogether() throws {
        let place = ReportLine.marker.utf8.count + 11
        // Octets 7 and 8: 58 f2, whose last six bits are the digit before which the line breaks.
        try #require(Self.line[place] == UInt8(ascii: "y"))
        let log = Self.broken(at: place, by: "1abc\n")
        #expect(Self.reports(log) == Self.reports(Self.line))
    }

    /// Of two that report, each half goes with its own only, for nobody signed another whole.
    @Test func nothingElseIsMadeOfPieces() {
        let other = Array(ReportLineTests.line.utf8).enumerated().map { index, octet in
            index == Self.line.count - 40 ? (octet == 0x41 ? 0x42 : 0x41) : octet
        }
        let foreign = Self.line[..<200] + Array("[WARN] hot\n".utf8) + other[200...] + [10]
        #expect(Self.reports(Array(foreign)).isEmpty)
        for missing in 1...8 {
            let log = Self.line[..<200] + Array("[WARN] hot\n".utf8) + Self.line[(200 + missing)...]
            #expect(Self.reports(Array(log) + [10]).isEmpty)
        }
    }

    /// The rest comes too late.
    @Test func aBeginningIsForgotten() {
        let later = String(repeating: "[INFO] tick\n", count: 100)
        #expect(Self.reports(Self.broken(at: 200, by: "\n" + later)).isEmpty)
        // And a whole one behind it is found.
        #expect(Self.reports(Self.broken(at: 200, by: "\n" + later) + Self.line).count == 1)
    }

    /// Who writes nothing but beginnings, as long as they may be, costs nothing while they are none.
    @Test func ofBeginningsWithoutALengthNoneIsDecoded() {
        let beginning =
            Array(ReportLine.marker.utf8) + Array("0oR".utf8)
            + [UInt8](repeating: 0x41, count: ReportLine.maximumDigitCount - 200)
        let log = beginning + [10] + Array(String(repeating: "AAAA\n", count: 8).utf8)
        var scanner = ReportScanner()
        for _ in 0..<4 { _ = scanner.push(log) }
        #expect(scanner.tornDigitCount == 0)
        #expect(scanner.push(Self.line).isEmpty)
        #expect(scanner.finish().count == 1)
    }

    /// Nor can beginnings whose own line and every next one fits cost more than a whole for each of eight.
    @Test(arguments: [400, Evidence.maximumLength])
    func ofWhatFitsOneIsDecodedForEachLine(_ length: Int) {
        let payload = length - 12 - 64
        let heads: [UInt8] = [
            0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0x59, UInt8(payload >> 8),
            UInt8(payload & 0xff),
        ]
        let message = heads + [UInt8](repeating: 0, count: payload) + [0x58, 0x40]
        let digits = Array(
            ReportLineTests.base64URL(message + [UInt8](repeating: 0, count: 64)).utf8)
        // Behind the head of the signature: however many digits are foreign, the next line can fit.
        let beginning = Array(ReportLine.marker.utf8) + digits.dropLast(20)
        let fitting = (0..<12).flatMap { [UInt8](repeating: 0x41, count: 20 + $0) + [10] }
        let log = beginning + [0x20] + fitting
        var scanner = ReportScanner()
        for _ in 0..<5 { #expect(scanner.push(log).count == 1) }
        #expect(scanner.tornDigitCount == 5 * 8 * digits.count)
        #expect(scanner.tornDigitCount <= 8 * scanner.byteCount)
    }
}
