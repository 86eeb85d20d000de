import Authority
import CBOR
import Channels
import Foundation
import Issuance
import OpenSSL
import Platforms
import Provisioning
import Registry

/// A run with a device that only prints a line with its key: what `run` and `enroll` have in common.
struct ReportRun {
    let session: Session
    let registry: SQLiteRegistry
    let authority: FileAuthority
    let document: ResultDocument
    /// Nil: the credentials go nowhere.
    let folder: String?

    /// - Parameter attaches: whether the log is shown on, after its report.
    func run(_ plan: ProvisioningPlan, on board: Board, attaches: Bool) throws {
        let outcome = try Provisioner(
            plan: plan, flasher: plan.image == nil ? nil : try board.flasher(),
            probe: try board.deviceIDReader(), openChannel: board.openChannel, registry: registry,
            issuer: authority, surroundings: .system, observer: session.reporter
        ).registerReport()
        defer { outcome.log.close() }
        try board.save()
        if let folder { try write(outcome.credentials, of: outcome.registration, into: folder) }
        for warning in outcome.warnings { Self.warn(warning) }
        let report = RunReport(
            outcome, registry: registry.path, steps: session.reporter.durations)
        try document.show(report, text: report.text)
        guard attaches else { return }
        var watch = outcome.watch
        try Attachment(session).run(outcome.log) { bytes in
            if let warning = watch.push(bytes) { Self.warn(warning) }
        }
    }

    private static func warn(_ warning: ProvisioningError) {
        Terminal.standardError.remark("warning[\(warning.code.rawValue)]: \(warning.reason)")
        if let hint = warning.hint { Terminal.standardError.remark("hint: \(hint)") }
    }

    private func write(
        _ credentials: [Credential], of registration: Registration, into folder: String
    ) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ProvisioningError(
                .usage, "the folder \(folder) can't be made",
                hint: "name another with --output-credentials")
        }
        let name = "\(folder)/\(registration.identity.id)"
        for credential in credentials {
            let (suffix, bytes) = try Self.file(of: credential)
            let destination = try ExportDestination(
                path: "\(name).\(suffix)", option: "--output-credentials")
            destination.write(bytes)
            try destination.commit()
        }
    }

    /// As `export` writes them: a chain as PEM, a CWT as it is.
    private static func file(of credential: Credential) throws -> (suffix: String, bytes: [UInt8]) {
        guard credential.type != .cwt else { return ("cwt", credential.bytes) }
        let certificates = try CBORValue.decode(credential.bytes).array ?? []
        let text = certificates.compactMap(\.bytes)
            .map { PEM.encode($0, label: PEM.certificate) }.joined()
        return (credential.type == .x509Chain ? "pem" : "anchors.pem", Array(text.utf8))
    }
}
