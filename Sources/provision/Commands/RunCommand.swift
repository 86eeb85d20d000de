import ArgumentParser
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
              provision run --all                       every board that is attached
              provision run --all --platform microbit-qemu --instances 8
              provision run --board microbit@/dev/ttyACM0 --board native:kitchen
              provision run --platform mine --log /dev/ttyUSB0     # it only prints its key
              provision run --platform mine -- west flash          # any flash tool
              provision run --platform mine --firmware app.elf -- probe-rs download {image}
            """)

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var image: ImageOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var credentials: CredentialOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var step: FlashStepOptions

    @Flag(help: "Erase the device's keys and credentials when flashing: it makes a new key.")
    var erase = false

    @Flag(
        help: "End when the device is provisioned, without the console, as with --json.")
    var detach = false

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    func validate() throws {
        try fleet.check(connection)
        try logs.check(isForSeveral: fleet.isAsked)
    }

    mutating func run() throws {
        try ResultDocument.write(output) { document in
            try fillDefaults()
            if dryRun { try preview(document) } else { try provision(document) }
        }
    }

    private mutating func fillDefaults() throws {
        let defaults = try Defaults(packagePath: platform.packagePath)
        try defaults.fill(&platform)
        try defaults.fill(&image, for: platform, given: step.given(logs))
        try defaults.fill(&connection)
        try defaults.fill(&credentials)
    }

    private func preview(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        if fleet.isAsked {
            let boards = try fleet.boards(
                platform, connection.connection, isFlashing: true, given: step.given(logs))
            return try FleetPreview(boards).show(in: document)
        }
        let choice = try session.choice(
            platform, connection.connection, isFlashing: true, given: step.given(logs),
            isPreview: true)
        try RunPreview(self, choice, session.state).show(in: document)
    }

    private func provision(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        if fleet.isAsked { return try provisionAll(session, document) }
        var run = BoardRun(session, credentials, packagePath: platform.packagePath)
        let choice = try session.choice(
            platform, connection.connection, isFlashing: true, given: step.given(logs))
        run.erases = erase
        run.logs = logs
        let hasOwnImage = choice.given?.hasOwnImage == true
        try image.checkPresence(
            for: [choice.platform], packagePath: platform.packagePath, builds: !hasOwnImage)
        try run.check(choice, isFlashing: true, session)
        _ = try run.state.open()
        let image =
            hasOwnImage
            ? step.ownImage(image.firmware)
            : try image.image(
                for: choice.platform, packagePath: platform.packagePath, session)
        _ = try run.provision(choice, image, session) { report, channel, watch in
            try document.show(report, text: report.text)
            // One document on standard output, and nothing behind it.
            if !detach, !output.json {
                try Attachment(session, choice).run(channel, watch: watch)
            }
        }
    }

    private func provisionAll(_ session: Session, _ document: ResultDocument) throws {
        var common = BoardRun(session, credentials, packagePath: platform.packagePath)
        let given = try step.given(logs)
        let boards = try fleet.boards(
            platform, connection.connection, isFlashing: true, given: given)
        common.erases = erase
        common.logs = logs
        let run = common
        let ownImage = given?.hasOwnImage == true
        try image.checkPresence(
            for: FleetBoard.platforms(of: boards), packagePath: platform.packagePath,
            builds: !ownImage)
        try run.open(for: boards, isFlashing: true, session)
        let images =
            ownImage
            ? [:] : try image.images(for: boards, packagePath: platform.packagePath, session)
        let named = ownImage ? step.ownImage(image.firmware) : nil
        try Fleet(boards: boards, jobs: fleet.jobCount(for: boards), isVerbose: output.verbose)
            .run(session, document, columns: RunReport.columns) { choice, session in
                try run.provision(choice, images[choice.platform] ?? named, session)
            }
    }
}
