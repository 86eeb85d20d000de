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
        try defaults.fill(&image, for: platform)
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
            platform, connection.connection, isFlashing: true, given: step.given(logs))
        try RunPreview(self, choice, session.state).show(in: document)
    }

    private func provision(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        if fleet.isAsked { return try provisionAll(session, document) }
        let choice = try session.choice(
            platform, connection.connection, isFlashing: true, given: step.given(logs))
        var run = BoardRun(session, credentials, packagePath: platform.packagePath)
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
        let given = try step.given(logs)
        let boards = try fleet.boards(
            platform, connection.connection, isFlashing: true, given: given)
        var common = BoardRun(session, credentials, packagePath: platform.packagePath)
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

    /// Refuses an image that should be there and is not, and a package that can't be built.
    ///
    /// - Parameter builds: false: the flash command has an image of its own.
    /// - Throws: `.usage` where one image is named for boards of different kinds; `.imageInvalid`;
    ///   `.buildFailed`.
    func checkPresence(for platforms: [Platform], packagePath: String, builds: Bool) throws {
        let kinds = Set(platforms.map(\.board)).sorted()
        guard firmware == nil || !builds || kinds.count == 1 else {
            throw ProvisioningError(
                .usage,
                "--firmware is one image, for boards of \(kinds.joined(separator: " and "))",
                hint: "leave it away to flash what the platforms build, or provision them by kind")
        }
        if let firmware { return _ = try named(firmware).readBytes() }
        for platform in platforms where builds {
            let build = FirmwareBuild(platform, packagePath: packagePath)
            if noBuild {
                _ = try FirmwareImage(path: try build.imagePath()).readBytes()
            } else {
                try build.checkPresence()
            }
        }
    }

    private func named(_ firmware: String) -> FirmwareImage {
        FirmwareImage(path: URL(filePath: firmware).standardizedFileURL.path)
    }

    func image(for platform: Platform, packagePath: String, _ session: Session) throws
        -> FirmwareImage
    {
        if let firmware { return named(firmware) }
        let build = FirmwareBuild(platform, packagePath: packagePath)
        return noBuild ? FirmwareImage(path: try build.imagePath()) : try build.run(session)
    }

    /// An image for each platform of several boards, each built once.
    func images(
        for boards: [FleetBoard], packagePath: String, _ session: Session
    ) throws -> [Platform: FirmwareImage] {
        var built: [Platform.Build?: FirmwareImage] = [:]
        var images: [Platform: FirmwareImage] = [:]
        for platform in FleetBoard.platforms(of: boards) {
            // The real board and its emulation have one.
            let image =
                try built[platform.build]
                ?? image(for: platform, packagePath: packagePath, session)
            built[platform.build] = image
            images[platform] = image
        }
        return images
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
        help: ArgumentHelp("Days until the credentials end. Default: no end.", valueName: "days"),
        transform: Self.days)
    var validityDays: Int?

    @Option(
        help: ArgumentHelp("The key in the device's key store.", valueName: "id"),
        transform: Self.keyID)
    var keyID: UInt32?

    @Flag(
        help: "Vouch that the new key replaces the device's earlier one, where nothing proves it.")
    var replaceKey = false

    @Flag(
        help: "Believe the clock, though the registry changed at a later time than it shows.")
    var acceptClock = false

    func plan(for platform: Platform, _ connection: Connection) throws -> ProvisioningPlan {
        var plan = ProvisioningPlan(for: platform, connection.link)
        plan.device = connection.device
        plan.keyID = keyID
        plan.credentials = credentials ?? platform.credentials.types
        plan.validity = (validityDays ?? platform.credentials.validityDays).map {
            Int64($0) * 86400
        }
        plan.replacesKey = replaceKey
        return plan
    }

    static func days(_ text: String) throws -> Int {
        let allowed = ProvisioningPlan.validityDays
        guard let days = Int(text), allowed.contains(days) else {
            throw ValidationError(
                "--validity-days is \(allowed.lowerBound) to \(allowed.upperBound), not \(text)")
        }
        return days
    }

    static func keyID(_ text: String) throws -> UInt32 {
        let allowed = ProvisioningPlan.keyIDs
        guard let id = UInt32(text), allowed.contains(id) else {
            throw ValidationError(
                "--key-id is \(allowed.lowerBound) to \(allowed.upperBound), not \(text)")
        }
        return id
    }

    static func types(_ text: String) throws -> Set<CredentialType> {
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
