import COSE
import Testing

@testable import Attestation

@Suite struct ReportedClaimsSetTests {
    private func read(_ line: String) -> [ReportScanner.Finding] {
        var scanner = ReportScanner()
        return scanner.push(Array(line.utf8)) + scanner.finish()
    }

    private func claims(_ line: String) throws -> ReportedClaimsSet {
        guard case .report(.claimsSet(let claims))? = read(line).first else {
            throw BrokenLine(findings: read(line))
        }
        return claims
    }

    private struct BrokenLine: Error { let findings: [ReportScanner.Finding] }

    @Test(arguments: [ArielLines.identity, ArielLines.identityInHexadecimal])
    func readsTheIdentityOfTheDocumentation(_ line: String) throws {
        let claims = try claims(line)
        #expect(claims.board == nil)
        #expect(claims.deviceID == nil)
        #expect(claims.key.isXOnly)
        #expect(claims.key.publicKey.hexadecimal == ArielLines.x)
        #expect(String(decoding: claims.text, as: UTF8.self) == line.dropFirst(8))
    }

    @Test func readsTheLineOfThePullRequest() throws {
        let claims = try claims("0.123456 INFO  \(ArielLines.provisioned) (stored.rs:88)")
        #expect(claims.board == "nrf52840dk")
        #expect(claims.deviceID == DeviceID([1, 2, 3, 255]))
        #expect(claims.key.publicKey.hexadecimal == ArielLines.x)
        #expect(String(decoding: claims.text, as: UTF8.self) == ArielLines.provisioned)
    }

    @Test func spacesInThePlaceOfTabsAndFieldsOfTomorrowPass() throws {
        let line = ArielLines.provisioned.replacing("\t", with: "   ")
            .replacing("device_id=", with: "flavour=sweet list=[] device_id=")
        #expect(try claims(line).deviceID == DeviceID([1, 2, 3, 255]))
    }

    @Test func theWholePointIsTaken() throws {
        // The generator of P-256, SEC 2 §2.4.2.
        let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        let y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
        let claims = try claims("CoAP server identity: {8:{1:{1:2,-1:1,-2:h'\(x)',-3:h'\(y)'}}}")
        #expect(!claims.key.isXOnly)
        #expect(claims.key.publicKey.hexadecimal == "04" + x + y)
    }

    private static let broken: [String] = {
        let (identity, provisioned) = (ArielLines.identity, ArielLines.provisioned)
        let x = ArielLines.x
        return [
            identity.replacing("}}}", with: "}}"), identity.replacing("8:{", with: "9:{"),
            identity.replacing("1:{1:2", with: "2:{1:2"), identity.replacing("1:2,", with: "1:1,"),
            identity.replacing("-1:1", with: "-1:2"), identity.replacing("-2:", with: "-5:"),
            identity.replacing(x, with: String(x.dropLast(2))),
            // Twice the same key of a map.
            identity.replacing("-1:1,", with: "-1:1, -1:1,"),
            // A private key.
            identity.replacing("-1:1,", with: "-1:1, -4:h'\(x)',"),
            // No point has this x.
            identity.replacing(x, with: String(repeating: "f", count: 64)),
            // Another thread's text.
            identity.replacing("b994", with: "b9[WARN] 94"),
            ArielLines.identityInHexadecimal.replacing("a1, 08", with: "a1, 8"),
            ArielLines.identityInHexadecimal.replacing("a1, 08", with: "a1 08"),
            ArielLines.identityInHexadecimal.replacing("a1, 08", with: "a1, 09"),
            provisioned.replacing("[161", with: "[1610"),
            provisioned.replacing("[161", with: "[256"),
            provisioned.replacing("[161", with: "[0161"),
            provisioned.replacing("[161", with: "[-1"),
            provisioned.replacing("[161", with: "[\"a1\""),
            provisioned.replacing("edhoc_", with: "ed"),
            provisioned.replacing("device_id=[1, 2, 3, 255]", with: "device_id=[]"),
            provisioned.replacing("device_id=[1, 2, 3, 255]", with: "device_id=0102"),
            provisioned.replacing("board=nrf52840dk", with: "board="),
            provisioned.replacing("board=", with: "board=a\tboard="),
            provisioned.replacing("\tedhoc", with: "\tdevice_id=[1]\tedhoc"),
            provisioned.replacing("nrf52840dk", with: String(repeating: "b", count: 65)),
            // An Ed25519 key.
            "CoAP server identity: {8:{1:{1:1,-1:6,-2:h'\(x)'}}}",
        ]
    }()

    @Test(arguments: broken) func refuses(_ line: String) {
        guard case .torn? = read(line).first, read(line).count == 1 else {
            Issue.record("\(line) is \(read(line))")
            return
        }
    }

    /// Cut anywhere, it is no report.
    @Test(
        arguments: [
            ArielLines.identity, ArielLines.identityInHexadecimal, ArielLines.provisioned,
        ])
    func noPartOfALineIsAReport(_ line: String) {
        for length in 0..<line.utf8.count {
            let findings = read(String(line.prefix(length)))
            #expect(!findings.contains { if case .report = $0 { true } else { false } })
        }
    }
}

/// What the Verifier makes of a claims set that nobody signed.
@Suite struct ReportedClaimsSetAppraisalTests {
    private func report(_ line: String) throws -> DeviceReport {
        var scanner = ReportScanner()
        guard case .report(let report)? = scanner.push(Array((line + "\n").utf8)).first else {
            throw AppraisalError.idMissing(key: [])
        }
        return report
    }

    @Test func possessionIsNotProven() throws {
        let result = try Verifier.appraise(
            report: try report(ArielLines.provisioned),
            against: ReportExpectation(board: "nrf52840dk", probedID: nil))
        #expect(!result.isPossessionProven)
        #expect(!result.isFresh)
        #expect(!result.isProbeBound)
        #expect(result.basis == .physicalPresence)
        #expect(result.algorithm == .unspecified)
        #expect(
            result.identity == DeviceIdentity(board: "nrf52840dk", id: DeviceID([1, 2, 3, 255])!))
        #expect(result.publicKey.hexadecimal == ArielLines.x)
        #expect(String(decoding: result.evidence, as: UTF8.self) == ArielLines.provisioned)
    }

    @Test func theProbeSaysWhoseItIs() throws {
        let id = DeviceID([7, 7])!
        let result = try Verifier.appraise(
            report: try report(ArielLines.identity),
            against: ReportExpectation(board: "mine", probedID: id))
        #expect(result.identity == DeviceIdentity(board: "mine", id: id))
        #expect(result.isProbeBound)
        #expect(!result.isPossessionProven)
    }

    @Test func withoutAnyIDItIsNobodys() throws {
        let error = #expect(throws: AppraisalError.self) {
            try Verifier.appraise(
                report: try report(ArielLines.identity),
                against: ReportExpectation(board: "mine", probedID: nil))
        }
        #expect(error?.code == .idMissing)
    }

    @Test func anotherIDThanTheProbesIsRefused() throws {
        let probe = DeviceID([9])!
        #expect(
            throws: AppraisalError.probeMismatch(
                probe: probe, claimed: DeviceID([1, 2, 3, 255])!)
        ) {
            try Verifier.appraise(
                report: try report(ArielLines.provisioned),
                against: ReportExpectation(board: "nrf52840dk", probedID: probe))
        }
    }

    @Test func anotherBoardIsRefused() throws {
        #expect(throws: AppraisalError.boardMismatch(announced: "other", claimed: "nrf52840dk")) {
            try Verifier.appraise(
                report: try report(ArielLines.provisioned),
                against: ReportExpectation(board: "other", probedID: nil))
        }
    }
}
