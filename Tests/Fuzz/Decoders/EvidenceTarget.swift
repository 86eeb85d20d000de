internal import Attestation
internal import COSE
internal import Foundation
internal import OpenSSL

extension FuzzTarget {
    /// Evidence, as it comes and as the payload of a message that is well signed; and report lines.
    static let evidence = FuzzTarget("evidence") { input in
        let arrived = try? Evidence(input)
        if let arrived { try checkAppraisal(of: arrived) }
        try checkReport(input, arrived)

        guard
            let signed = try? COSESign1.sign(payload: input, using: TestKey.signing),
            let evidence = try? Evidence(signed.encoded())
        else { return }
        let isOwn = evidence.key.publicKey == TestKey.signing.publicKey
        let accepted = try checkAppraisal(of: evidence)
        try require(!accepted || isOwn, "signed by another key than its own, and accepted")
        try require(
            accepted || !isOwn || evidence.ueid != UEID.derive(evidence.identity)
                || !evidence.key.allows(.es256),
            "sound evidence is refused")
    }

    /// Against what it says itself: only signature and derived values can be wrong then.
    @discardableResult
    private static func checkAppraisal(of evidence: Evidence) throws -> Bool {
        try require(evidence.bytes.count <= Evidence.maximumLength, "oversized evidence")
        try require((8...64).contains(evidence.nonce.count), "a nonce of \(evidence.nonce.count)")
        try require(
            evidence.identity.board.unicodeScalars.allSatisfy { $0.value >= 0x20 },
            "control characters in the board's name")
        var expectation = Expectation(
            nonce: evidence.nonce, identity: evidence.identity, publicKey: evidence.key.publicKey,
            algorithm: evidence.algorithm, probedID: evidence.identity.id)
        guard (try? Verifier.appraise(evidence, against: expectation)) != nil else { return false }
        expectation.nonce[0] ^= 1
        try require(
            (try? Verifier.appraise(evidence, against: expectation)) == nil,
            "the answer to another nonce is accepted")
        return true
    }

    /// As a line of a log, and as evidence in one.
    private static func checkReport(_ input: [UInt8], _ arrived: Evidence?) throws {
        _ = try? ReportLine.evidence(in: input)
        let digits = Data(input).base64EncodedData().filter { $0 != UInt8(ascii: "=") }.map {
            switch $0 {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: $0
            }
        }
        let line = Array("\u{1b}[32m<inf> \(ReportLine.marker)".utf8) + digits + [0x1b, 0x0d, 0x0a]
        try require(
            (try? ReportLine.evidence(in: line)) == arrived, "a report line is other evidence")
    }
}
