import ArgumentParser
import Foundation
import Provisioning

struct EnrollCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Provision a device that runs its firmware already.",
        discussion: """
            Nothing is flashed, so a device with a new key must prove that it is the one whose earlier key \
            will be revoked: by the probe, or by your word, --replace-key.

            EXAMPLES
              provision enroll --platform microbit --port /dev/ttyACM0
              provision enroll --platform microbit --port /dev/ttyACM0 \\
                --probe tcp:localhost:3333
              west espressif monitor | provision enroll --platform mine --log -
            """)

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var credentials: CredentialOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Attach the console afterwards; not with --json.")
    var attach = false

    func run() throws {
        try ResultDocument.write(output) { document in try enroll(document) }
    }

    private func enroll(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        let platform = try session.platform(platform)
        let log = try logs.source(for: platform, isFlashing: false)
        let registry = try session.state.openRegistry()
        let authority = try session.state.openAuthority()
        try session.state.checkClock(registry, authority, isAccepted: credentials.acceptClock)
        let board = session.board(
            platform, connection, packagePath: self.platform.packagePath, log: log)
        try session.with(board) {
            if let log {
                return try ReportRun(
                    session: session, registry: registry, authority: authority, document: document,
                    folder: logs.outputCredentials
                ).run(
                    try logs.plan(credentials, for: platform, connection, log), on: board,
                    attaches: attach && !output.json)
            }
            let outcome = try Provisioner(
                plan: try credentials.plan(for: platform, connection), flasher: nil,
                probe: try board.deviceIDReader(), openChannel: board.openChannel,
                registry: registry, issuer: authority, surroundings: .system,
                observer: session.reporter
            ).provision()
            defer { outcome.channel.close() }
            try board.save()
            let report = RunReport(
                outcome, registry: registry.path, steps: session.reporter.durations)
            try document.show(report, text: report.text)
            if attach, !output.json { try Attachment(session).run(outcome.channel) }
        }
    }
}
