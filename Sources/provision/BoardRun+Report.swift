import CBOR
import Channels
import Foundation
import Issuance
import OpenSSL
import Platforms
import Provisioning

extension BoardRun {
    /// With a board that only prints a line with its key.
    func hear(
        _ choice: BoardChoice, _ image: FirmwareImage?, _ board: Board, _ log: LogSource,
        _ opened: RunState.Opened, _ session: Session,
        then: (RunReport, any Channel, KeyWatch?) throws -> Void
    ) throws -> RunReport {
        let plan = try logs.plan(credentials, for: choice.platform, choice.connection, log)
        let isFlashing = image != nil || choice.given != nil
        let outcome = try provisioner(
            plan, image, isFlashing: isFlashing, board, opened, session
        ).registerReport()
        defer { outcome.log.close() }
        try board.save()
        if let folder = logs.outputCredentials {
            try write(outcome.credentials, of: outcome.registration, into: folder)
        }
        for warning in outcome.warnings { session.reporter.warned(warning) }
        let report = RunReport(
            outcome, registry: opened.registry.path, steps: session.reporter.durations)
        try then(report, outcome.log, outcome.watch)
        return report
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
