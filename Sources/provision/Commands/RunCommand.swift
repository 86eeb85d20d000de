import ArgumentParser
import Channels
import Foundation
import Issuance
import Platforms
import Provisioning

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Build, flash, provision, attach (the default).",
        discussion: """
            In a firmware package, `swift package provision` does the same. Running it again is always \
            safe: the same key changes nothing, a new key revokes the earlier one.

            EXAMPLES
              provision run --platform microbit-qemu
              provision run --platform microbit-qemu --erase --detach
              provision run --platform mine --firmware app.elf --port /dev/ttyUSB0 \\
                --probe tcp:localhost:3333
              provision run --platform native --json > record.json
              provision run --platform mine --log /dev/ttyUSB0     # it only prints its key
            """)

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var image: ImageOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var credentials: CredentialOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Erase the device's keys and credentials when flashing: it makes a new key.")
    var erase = false

    @Flag(
        help: "End when the device is provisioned, without the console, as with --json.")
    var detach = false

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    func run() throws {
        if dryRun { return try preview() }
        try ResultDocument.write(output) { document in try provision(document) }
    }

    private func preview() throws {
        let session = try Session(isVerbose: output.verbose)
        try RunPreview(self, session.platform(platform), session.state).print()
    }

    private func provision(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        let platform = try session.platform(platform)
        let log = try logs.source(for: platform, isFlashing: true)
        // A registry that can't be used must be found out before the board is touched.
        let registry = try session.state.openRegistry()
        let authority = try session.state.openAuthority()
        try session.state.checkClock(registry, authority, isAccepted: credentials.acceptClock)
        let image = try image.image(
            for: platform, packagePath: self.platform.packagePath, session)
        let board = session.board(
            platform, connection, packagePath: self.platform.packagePath, log: log)
        try session.with(board) {
            var plan =
                try log.map { try logs.plan(credentials, for: platform, connection, $0) }
                ?? credentials.plan(for: platform, connection)
            plan.image = image
            plan.erases = erase
            try board.checkChannel()
            guard log == nil else {
                return try ReportRun(
                    session: session, registry: registry, authority: authority, document: document,
                    folder: logs.outputCredentials
                ).run(plan, on: board, attaches: !detach && !output.json)
            }
            let outcome = try Provisioner(
                plan: plan, flasher: try board.flasher(), probe: try board.deviceIDReader(),
                openChannel: board.openChannel, registry: registry, issuer: authority,
                surroundings: .system, observer: session.reporter
            ).provision()
            defer { outcome.channel.close() }
            try board.save()
            let report = RunReport(
                outcome, registry: registry.path, steps: session.reporter.durations)
            try document.show(report, text: report.text)
            // One document on standard output, and nothing behind it.
            if !detach, !output.json { try Attachment(session).run(outcome.channel) }
        }
    }
}

/// Where the firmware image comes from.
struct ImageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The image to flash; nothing is built.", valueName: "file"),
        completion: .file())
    var firmware: String?

    @Flag(help: "Flash the image of the last build.")
    var noBuild = false

    func validate() throws {
        if firmware == "" { throw ValidationError("--firmware names no file") }
    }

    func image(for platform: Platform, packagePath: String, _ session: Session) throws
        -> FirmwareImage
    {
        if let firmware {
            return FirmwareImage(path: URL(filePath: firmware).standardizedFileURL.path)
        }
        let build = FirmwareBuild(platform, packagePath: packagePath)
        return noBuild ? FirmwareImage(path: try build.imagePath()) : try build.run(session)
    }
}

/// What the device gets, and what may be taken from it.
struct CredentialOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What the device gets, instead of what the platform says: x509,cwt,trust-anchors.",
            valueName: "types"),
        transform: Self.types)
    var credentials: Set<CredentialType>?

    @Option(
        help: ArgumentHelp("Days until the credentials end. Default: no end.", valueName: "days"))
    var validityDays: Int?

    @Option(help: ArgumentHelp("The key in the device's key store.", valueName: "id"))
    var keyID: UInt32?

    @Flag(
        help: "Vouch that the new key replaces the device's earlier one, where nothing proves it.")
    var replaceKey = false

    @Flag(
        help: "Believe the clock, though the registry changed at a later time than it shows.")
    var acceptClock = false

    func validate() throws {
        if let validityDays, !(1...36500).contains(validityDays) {
            throw ValidationError("--validity-days is 1 to 36500, not \(validityDays)")
        }
    }

    func plan(for platform: Platform, _ connection: ConnectionOptions) throws -> ProvisioningPlan {
        var plan = ProvisioningPlan()
        plan.board = platform.board
        plan.group = platform.channel.group
        plan.device = connection.device
        plan.keyID = keyID
        plan.credentials = credentials ?? platform.credentials.types
        plan.validity = (validityDays ?? platform.credentials.validityDays).map {
            Int64($0) * 86400
        }
        plan.replacesKey = replaceKey
        plan.deadlines.boot = platform.timeouts.boot
        plan.deadlines.answer = platform.timeouts.answer
        plan.deadlines.signature = platform.timeouts.signature
        // A run asks for a handful of signatures; each may need its repeats.
        plan.deadlines.conversation = max(
            plan.deadlines.conversation, platform.timeouts.signature * 30)
        return plan
    }

    private static func types(_ text: String) throws -> Set<CredentialType> {
        guard text.contains(where: { $0 != "," }) else {
            throw ValidationError("--credentials names none")
        }
        return Set(
            try text.split(separator: ",").map { word in
                guard let type = CredentialType.allCases.first(where: { $0.name == word }) else {
                    throw ValidationError(
                        "\"\(word)\" is no credential; there are "
                            + CredentialType.allCases.map(\.name).joined(separator: ", "))
                }
                return type
            })
    }
}
