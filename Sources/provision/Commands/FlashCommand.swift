import ArgumentParser
import CBOR
import Foundation
import Provisioning

struct FlashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flash",
        abstract: "Build and flash, nothing else.",
        discussion: """
            EXAMPLES
              provision flash --platform microbit --firmware app.elf
              provision flash --platform microbit-qemu --erase
              provision flash --all --firmware app.elf
            """)

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var image: ImageOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Erase the device's keys and credentials too.")
    var erase = false

    private struct Report: Encodable {
        let image: String
        let digest: String?
        let byteCount: Int?
        let isVerified: Bool
    }

    func validate() throws { try fleet.check(connection) }

    mutating func run() throws {
        try ResultDocument.write(output) { document in
            try fillDefaults()
            try flash(document)
        }
    }

    private mutating func fillDefaults() throws {
        let defaults = try Defaults(packagePath: platform.packagePath)
        try defaults.fill(&platform)
        try defaults.fill(&image, for: platform)
        try defaults.fill(&connection)
    }

    private func flash(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        if fleet.isAsked { return try flashAll(session, document) }
        let choice = try session.choice(platform, connection.connection, isFlashing: true)
        try image.checkPresence(
            for: [choice.platform], packagePath: platform.packagePath, builds: true)
        let image = try image.image(
            for: choice.platform, packagePath: platform.packagePath, session)
        let report = try Self.flash(
            choice, image, erasing: erase, packagePath: platform.packagePath, session)
        try document.show(
            report,
            text: "image       \(Table.printable(image.path))\n"
                + (report.digest.map { "sha256      \($0)\n" } ?? ""))
    }

    private func flashAll(_ session: Session, _ document: ResultDocument) throws {
        let boards = try fleet.boards(platform, connection.connection, isFlashing: true)
        try image.checkPresence(
            for: FleetBoard.platforms(of: boards), packagePath: platform.packagePath, builds: true)
        let images = try image.images(for: boards, packagePath: platform.packagePath, session)
        let (erase, packagePath) = (erase, platform.packagePath)
        try Fleet(boards: boards, jobs: fleet.jobCount(for: boards), isVerbose: output.verbose)
            .run(session, document, columns: [("SHA256", { String($0.digest?.prefix(16) ?? "-") })])
        {
            choice, session in
            let image = images[choice.platform] ?? FirmwareImage(path: "")
            return try Self.flash(
                choice, image, erasing: erase, packagePath: packagePath, session)
        }
    }

    private static func flash(
        _ choice: BoardChoice, _ image: FirmwareImage, erasing: Bool, packagePath: String,
        _ session: Session
    ) throws -> Report {
        let board = session.board(choice, packagePath: packagePath, isFlashing: true)
        try board.checkFlashStep()
        return try session.with(board) {
            guard let flasher = try board.flasher() else {
                throw ProvisioningError(
                    .probeUnavailable,
                    "the platform \(choice.platform.name) has no way to flash here",
                    hint: "if the device runs it already: provision enroll")
            }
            try board.checkDevice()
            session.reporter.began(.flash)
            let receipt = try flasher.flash(image, erasing: erasing)
            session.reporter.ended(.flash, receipt.summary(of: image, erasing: erasing))
            return Report(
                image: image.path, digest: receipt.digest?.hexadecimal,
                byteCount: receipt.byteCount,
                isVerified: receipt.isVerified)
        }
    }
}
