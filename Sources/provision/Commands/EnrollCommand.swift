import ArgumentParser
import Foundation
import Platforms
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
              provision enroll --all
              provision enroll --board microbit@/dev/ttyACM0 --board microbit@/dev/ttyACM1
              west espressif monitor | provision enroll --platform mine --log -
              provision enroll --platform mine --log listen::19021
            """)

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var credentials: CredentialOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Attach the console afterwards; not with --json.")
    var attach = false

    func validate() throws {
        try fleet.check(connection)
        try logs.check(isForSeveral: fleet.isAsked)
        if attach, fleet.isAsked { throw ValidationError("--attach is for one board") }
    }

    mutating func run() throws {
        try ResultDocument.write(output) { document in
            try fillDefaults()
            try enroll(document)
        }
    }

    private mutating func fillDefaults() throws {
        let defaults = try Defaults(packagePath: platform.packagePath)
        try defaults.fill(&platform)
        try defaults.fill(&connection)
        try defaults.fill(&credentials)
    }

    private func enroll(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        if fleet.isAsked { return try enrollAll(session, document) }
        var run = BoardRun(session, credentials, packagePath: platform.packagePath)
        let choice = try session.choice(
            platform, connection.connection, usesChannel: !logs.isElsewhere)
        run.logs = logs
        _ = try run.provision(choice, nil, session) { report, channel, watch in
            try document.show(report, text: report.text)
            if attach, !output.json {
                try Attachment(session, choice).run(channel, watch: watch)
            }
        }
    }

    private func enrollAll(_ session: Session, _ document: ResultDocument) throws {
        var common = BoardRun(session, credentials, packagePath: platform.packagePath)
        let boards = try fleet.boards(
            platform, connection.connection, isFlashing: false,
            running: RunningInstance.list(stateDirectory: session.state.directory.path),
            waiting: session.interruption)
        common.logs = logs
        let run = common
        try run.open(for: boards, isFlashing: false, session)
        try Fleet(boards: boards, jobs: fleet.jobCount(for: boards), isVerbose: output.verbose)
            .run(session, document, columns: RunReport.columns) { choice, session in
                try run.provision(choice, nil, session)
            }
    }
}
