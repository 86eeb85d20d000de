import Attestation
import COSE
import Channels
import Foundation
import Issuance
import OpenSSL
import Platforms
import Provisioning
import Synchronization

/// A real board, asked for all that comes before it is registered. Nothing is registered, and the board keeps
/// nothing of it but the image, and the key that it makes if it has none: it would on its first start.
struct DeviceCheck {
    let subject: CheckSubject
    let connection: Connection
    let session: Session

    private static let name = "the device proves that it holds its key"

    func run(firmware: String?, packagePath: String, record: String?) throws -> CheckResult {
        guard let platform = try Self.platform(of: subject, session) else { return Self.unknown }
        if let skipped = Self.skipped(platform) { return skipped }
        let record = record ?? "\(platform.name).transcript"
        try ExportDestination.check(document: record, option: "--record")
        let awaited = try AwaitedPlace(
            connection, of: platform, among: { [platform] }, isFlashing: firmware != nil)
        try awaited?.wait(session.interruption)
        let desk = Desk(of: platform, stateDirectory: session.state.directory.path)
        let choice = try desk.choice(platform, connection, isFlashing: firmware != nil)
        let board = session.board(
            choice, packagePath: packagePath, isFlashing: firmware != nil)
        var transcript: Transcript?
        let result = CheckResult.of("device", Self.name) {
            try session.with(board) {
                let (found, text) = try ask(board, firmware)
                transcript = found
                return text
            }
        }
        if result.outcome == .passed, let transcript {
            try write(transcript, to: record)
            Terminal.standardError.remark("the conversation is in \(record)")
        }
        return result
    }

    private func write(_ transcript: Transcript, to path: String) throws {
        let destination = try ExportDestination(path: path, option: "--record")
        destination.write(try transcript.text())
        try destination.commit()
    }

    private func ask(_ board: Board, _ firmware: String?) throws -> (Transcript, String) {
        let platform = board.platform
        var digest: String?
        if let firmware {
            let image = FirmwareImage(path: URL(filePath: firmware).standardizedFileURL.path)
            try board.checkChannel()
            guard let flasher = try board.flasher() else {
                throw CheckFailure("the platform has no way to flash \(image.path)")
            }
            board.image = image
            digest = try flasher.flash(image, erasing: false).digest?.hexadecimal
        }
        let now = Surroundings.system.now()
        let probed = try board.deviceIDReader()?.readDeviceID()
        let transcript = Mutex(
            Transcript(
                .init(
                    transcript: Transcript.version, platform: platform.name,
                    board: platform.board, now: now.seconds, probed: probed.map { "\($0)" },
                    image: digest)))
        let surroundings = Surroundings(now: { now }) { count throws(ProvisioningError) in
            let bytes = try Surroundings.system.randomBytes(count)
            transcript.withLock { $0.append(.init(random: Data(bytes))) }
            return bytes
        }
        let plan = ProvisioningPlan(for: platform, connection.link)
        let text = try Self.appraise(plan, probed, surroundings, session.reporter) {
            () throws(ProvisioningError) in
            let channel = try board.openChannel()
            transcript.withLock { $0.note(channel) }
            return RecordingChannel(channel) { event in
                transcript.withLock { $0.append(event) }
            }
        }
        return (transcript.withLock { $0 }, text)
    }

    /// The same without the board.
    func replay(_ path: String) throws -> CheckResult {
        guard let platform = try Self.platform(of: subject, session) else { return Self.unknown }
        if let skipped = Self.skipped(platform) { return skipped }
        let transcript = try Transcript(path: path, session.interruption)
        let plan = ProvisioningPlan(
            for: platform.with(timeouts: connection.link.timeouts), connection.link)
        return CheckResult.of("device", Self.name) {
            let header = transcript.header
            try require(
                header.board == platform.board,
                "it is of the board \(header.board), the platform is of \(platform.board)")
            let probed = header.probed.flatMap { DeviceID(hexadecimal: $0) }
            let dice = Mutex(transcript.events.compactMap(\.random)[...])
            let surroundings = Surroundings(
                now: { NumericDate(seconds: header.now) },
                randomBytes: { count throws(ProvisioningError) in
                    let next = dice.withLock { $0.popFirst() }
                    guard let next, next.count == count else {
                        throw ProvisioningError(
                            .protocolViolation,
                            "this program throws other dice than the one that recorded",
                            hint: "record it again: provision check --device --record FILE")
                    }
                    return Array(next)
                })
            return try Self.appraise(plan, probed, surroundings, SilentObserver()) {
                ReplayedChannel(transcript)
            }
        }
    }

    private static let unknown = CheckResult(
        group: "device", name: name, outcome: .failed, detail: "the platform is not described",
        milliseconds: 0)

    /// Nothing is sent to a device that only reports, neither an image nor a question.
    private static func skipped(_ platform: Platform) -> CheckResult? {
        platform.report.map { _ in .skipped("device", name, PlatformChecks.onlyReports) }
    }

    private static func platform(
        of subject: CheckSubject, _ session: Session
    ) throws(ProvisioningError) -> Platform? {
        if let platform = subject.platform { return platform }
        guard let program = subject.program else { return nil }
        return try AdapterPlatform.ask(program, session.interruption)
    }

    /// A run as far as the registry, which takes nothing.
    private static func appraise(
        _ plan: ProvisioningPlan, _ probed: DeviceID?, _ surroundings: Surroundings,
        _ observer: any RunObserver,
        openChannel: @escaping () throws(ProvisioningError) -> any Channel
    ) throws -> String {
        let witness = Witness()
        do throws(ProvisioningError) {
            let outcome = try Provisioner(
                plan: plan, flasher: nil, probe: probed.map(KnownID.init),
                openChannel: openChannel, registry: witness, issuer: witness,
                surroundings: surroundings, observer: observer
            ).provision()
            outcome.channel.close()
        } catch {
            guard witness.claim != nil else { throw error }
        }
        guard let claim = witness.claim else { throw CheckFailure("nothing was claimed") }
        return "\(claim.identity.board) \(claim.identity.id), key "
            + "\(claim.thumbprint.hexadecimal.prefix(16))…"
    }
}

private struct KnownID: DeviceIDReader {
    let id: DeviceID

    func readDeviceID() throws(ProvisioningError) -> DeviceID { id }
}

/// Sees what would be registered, and ends the run there.
private final class Witness: DeviceRegistry, CredentialIssuer {
    private let seen = Mutex<RegistrationClaim?>(nil)

    var claim: RegistrationClaim? { seen.withLock { $0 } }

    private static let end = ProvisioningError(.interrupted, "a check registers nothing")

    func register(_ claim: RegistrationClaim, at now: NumericDate) throws(ProvisioningError)
        -> RegistrationRecord
    {
        seen.withLock { $0 = claim }
        throw Self.end
    }

    func record(_ credentials: [Credential], for thumbprint: [UInt8], at now: NumericDate)
        throws(ProvisioningError)
    {
        throw Self.end
    }

    func activate(_ thumbprint: [UInt8], confirmation: [UInt8], at now: NumericDate)
        throws(ProvisioningError)
    {
        throw Self.end
    }

    func keyDigest(for type: CredentialType) -> [UInt8] { [UInt8](repeating: 0, count: 32) }

    var notBefore: NumericDate { NumericDate(seconds: 0) }

    func sign(_ plan: IssuancePlan) throws(ProvisioningError) -> [Credential] { throw Self.end }
}
