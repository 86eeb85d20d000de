import Attestation
import Foundation
import Testing

struct ReportLineTests {
    static let encoded = base64URL(Vector.named("good").bytes)
    static let line = "PROVISION-EVIDENCE-1 " + encoded

    /// Without padding, RFC 4648 §5.
    static func base64URL(_ octets: [UInt8]) -> String {
        Data(octets).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    @Test(arguments: [
        line,
        line + "\r\n",
        "[00:00:00.012] <inf> main: " + line,
        "\u{1b}[32m" + line + "\u{1b}[0m",
        line + " main.c:17",
        line + "==",
    ])
    func anywhereInALine(line: String) throws {
        let evidence = try #require(try ReportLine.evidence(in: line))
        #expect(evidence.bytes == Vector.named("good").bytes)
    }

    @Test(arguments: ["", "booting", "PROVISION-EVIDENCE-1", "PROVISION-EVIDENCE-2 " + encoded])
    func otherLinesHaveNone(line: String) throws {
        #expect(try ReportLine.evidence(in: line) == nil)
    }

    @Test(arguments: [
        "PROVISION-EVIDENCE-1 ",
        "PROVISION-EVIDENCE-1 A",
        "PROVISION-EVIDENCE-1 AB",
        String(line.dropLast()),
        String(line.dropLast(9)) + "*" + line.suffix(8),
        line + "A",
        // The same octets, but for the unused bits of the last digit.
        String(line.dropLast()) + String(UnicodeScalar(line.utf8.last! + 1)),
        "PROVISION-EVIDENCE-1 " + String(repeating: "A", count: 100_000),
    ])
    func aBrokenReportIsAnError(line: String) {
        let error = #expect(throws: EvidenceError.self) { try ReportLine.evidence(in: line) }
        #expect(error?.code == .evidenceMalformed)
    }

    @Test func octetsThatAreNotTextAroundIt() throws {
        let line = [0xff, 0x00, 0xfe] + Array(Self.line.utf8) + [0x00, 0xff]
        #expect(try ReportLine.evidence(in: line) == Run.evidence())
    }

    @Test func aReportIsNotFresh() throws {
        let evidence = try #require(try ReportLine.evidence(in: Self.line))
        let result = try Verifier.appraise(
            report: evidence, against: ReportExpectation(board: "microbit", probedID: Run.id))
        #expect(!result.isFresh)
        #expect(result.isProbeBound)
        #expect(result.basis == .physicalPresence)
        let unbound = try Verifier.appraise(
            report: evidence, against: ReportExpectation(board: nil, probedID: nil))
        #expect(!unbound.isProbeBound)
    }

    @Test func aReportIsChecked() throws {
        let board = ReportExpectation(board: "nrf52840dk", probedID: nil)
        #expect(
            throws: AppraisalError.boardMismatch(announced: "nrf52840dk", claimed: "microbit")
        ) { try Verifier.appraise(report: Run.evidence(), against: board) }
        let probe = ReportExpectation(board: nil, probedID: Run.otherID)
        #expect(throws: AppraisalError.probeMismatch(probe: Run.otherID, claimed: Run.id)) {
            try Verifier.appraise(report: Run.evidence(), against: probe)
        }
        let any = ReportExpectation(board: nil, probedID: nil)
        for name in ["other-key-signature", "wrong-ueid", "point-not-on-curve"] {
            #expect(throws: AppraisalError.self) {
                try Verifier.appraise(report: Run.evidence(name), against: any)
            }
        }
    }
}
