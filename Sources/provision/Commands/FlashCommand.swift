import ArgumentParser
import Attestation
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
            """)

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var image: ImageOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Erase the device's keys and credentials too.")
    var erase = false

    private struct Report: Encodable {
        let image: String
        let digest: String
        let byteCount: Int?
        let isVerified: Bool
    }

    func run() throws {
        try ResultDocument.write(output) { document in try flash(document) }
    }

    private func flash(_ document: ResultDocument) throws {
        let session = try Session(isVerbose: output.verbose)
        let platform = try session.platform(platform, connection)
        let image = try image.image(for: platform, packagePath: self.platform.packagePath, session)
        let board = session.board(platform, connection, packagePath: self.platform.packagePath)
        try session.with(board) {
            guard let flasher = try board.flasher() else {
                throw ProvisioningError(
                    .probeUnavailable, "the platform \(platform.name) has no way to flash here",
                    hint: "if the device runs it already: provision enroll")
            }
            session.reporter.began(.flash)
            let receipt = try flasher.flash(image, erasing: erase)
            session.reporter.ended(.flash, receipt.summary(of: image, erasing: erase))
            let report = Report(
                image: image.path, digest: receipt.digest.hexadecimal, byteCount: receipt.byteCount,
                isVerified: receipt.isVerified)
            try document.show(
                report,
                text: "image       \(Table.printable(image.path))\nsha256      \(report.digest)\n")
        }
    }
}
