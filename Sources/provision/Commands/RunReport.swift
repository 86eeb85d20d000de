import CBOR
import COSE
import Foundation
import Issuance
import Provisioning
import Registry

/// The result of a run, as `--json` and `--report` give it. Byte strings are lower-case hexadecimal,
/// times are RFC 3339 in UTC.
struct RunReport: Encodable {
    struct StepReport: Encodable {
        let step: String
        let seconds: Double
        let summary: String
    }

    struct CredentialReport: Encodable {
        let type: String
        /// Missing: trust anchors have none.
        let serialNumber: String?
        /// Times are RFC 3339 in UTC.
        let notBefore: String
        /// Missing: no expiry.
        let notAfter: String?
    }

    let board: String
    let device: String
    let nickname: String?
    /// Missing: the device only reports, and its report does not say.
    let firmware: String?
    let keyID: UInt32
    let thumbprint: String
    let isNewKey: Bool
    let keyState: String
    let registeredAt: String
    let superseded: [String]
    let attestation: String
    let isIDReadByProbe: Bool
    /// False: only a log line, which anybody could have written, names the key.
    let isPossessionProven: Bool
    /// How a device that only reports wrote its report; missing: the device was asked.
    let report: String?
    let algorithm: String
    /// Codes of what was warned of.
    let warnings: [String]
    let credentials: [CredentialReport]
    /// What went over the wire in this run; empty if the device held everything.
    let delivered: [String]
    let imageDigest: String?
    let retries: Int
    let registry: String
    let steps: [StepReport]
}

extension RunReport {
    init(
        _ outcome: Outcome, registry: String,
        steps: [(step: Step, summary: String, seconds: Double)]
    ) {
        self.init(
            outcome.registration, outcome.credentials, firmware: outcome.description.firmware,
            delivered: outcome.delivery.sent.map(\.name), receipt: outcome.receipt,
            retries: outcome.retries, registry: registry, steps: steps)
    }

    /// Of a device that only reports.
    init(
        _ outcome: ReportOutcome, registry: String,
        steps: [(step: Step, summary: String, seconds: Double)]
    ) {
        self.init(
            outcome.registration, outcome.credentials, firmware: nil,
            report: outcome.format.rawValue, warnings: outcome.warnings.map(\.code.rawValue),
            delivered: [], receipt: outcome.receipt, retries: 0, registry: registry, steps: steps)
    }

    private init(
        _ registration: Registration, _ credentials: [Credential], firmware: String?,
        report: String? = nil, warnings: [String] = [], delivered: [String],
        receipt: FlashReceipt?, retries: Int, registry: String,
        steps: [(step: Step, summary: String, seconds: Double)]
    ) {
        board = registration.identity.board
        device = registration.identity.id.description
        nickname = registration.record.nickname
        self.firmware = firmware
        self.report = report
        self.warnings = warnings
        algorithm = "\(registration.attestation.algorithm)"
        isPossessionProven = registration.attestation.isPossessionProven
        keyID = registration.keyID
        thumbprint = registration.thumbprint.hexadecimal
        isNewKey = registration.record.isNew
        // The confirmation, or the report of one that can't confirm, has made it active.
        keyState = KeyState.active.rawValue
        registeredAt = registration.record.registeredAt.utc
        superseded = registration.record.superseded.map(\.hexadecimal)
        attestation = registration.attestation.basis.rawValue
        isIDReadByProbe = registration.attestation.isProbeBound
        self.credentials = credentials.sorted { $0.type.rawValue < $1.type.rawValue }.map {
            CredentialReport(
                type: $0.type.name,
                serialNumber: $0.serialNumber.isEmpty ? nil : $0.serialNumber.hexadecimal,
                notBefore: $0.notBefore.utc, notAfter: $0.notAfter?.utc)
        }
        self.delivered = delivered
        imageDigest = receipt?.digest?.hexadecimal
        self.retries = retries
        self.registry = registry
        self.steps = steps.map {
            StepReport(step: $0.step.rawValue, seconds: $0.seconds, summary: $0.summary)
        }
    }

    /// The device's record, for people.
    var text: String {
        let use = algorithm == "\(COSEAlgorithm.unspecified)" ? "no algorithm named" : algorithm
        var lines = [
            ("device", "\(board) \(device)" + (nickname.map { " (\($0))" } ?? "")),
            ("key", "\(thumbprint) (\(use), \(keyState))"),
        ]
        if let firmware { lines.insert(("firmware", firmware), at: 1) }
        if !isPossessionProven { lines.append(("proof", "none: nobody signed the report")) }
        for credential in credentials {
            guard let serialNumber = credential.serialNumber else { continue }
            let end = credential.notAfter.map { "until \($0)" } ?? "no expiry"
            lines.append((credential.type, "\(serialNumber), \(end)"))
        }
        for earlier in superseded { lines.append(("revoked", "\(earlier) (superseded)")) }
        if retries > 0 { lines.append(("retries", "\(retries), see -v")) }
        lines.append(("registry", registry))
        return lines.map { name, value in
            name.padding(toLength: 12, withPad: " ", startingAt: 0) + Table.printable(value) + "\n"
        }.joined()
    }
}
