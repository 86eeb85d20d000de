import ArgumentParser
import Channels
import Foundation
import Platforms
import Provisioning

/// Any command in the place of the platform's flash step.
struct FlashStepOptions: ParsableArguments {
    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp(
            "Behind --: what flashes, in the place of the platform's flash step. It may use the "
                + "placeholders of platform files, as {image} and {port}; without {image} it has an "
                + "image of its own, and nothing is built. When it ends with status 0, the board "
                + "counts as flashed, even after true.",
            valueName: "flash-command"))
    var command: [String] = []

    func validate() throws {
        // `-- $COMMAND`, of which nothing came: the platform's own flash step is not what was asked for.
        guard !command.isEmpty || CommandLine.arguments.last != "--" else {
            throw ValidationError("there is no flash command behind --")
        }
    }

    /// Nil: there is no command.
    ///
    /// - Throws: `.usage` for a placeholder that there is not.
    func given(_ logs: LogOptions) throws(ProvisioningError) -> GivenFlash? {
        guard !command.isEmpty else { return nil }
        do {
            let allowed = Set(CommandPlaceholder.allCases)
                .subtracting(DeviceIDCommand.ownPlaceholders.union([.scratch]))
            return GivenFlash(
                command: try CommandTemplate(command, allowing: allowed),
                printsLog: logs.log.map { $0 == "flasher" })
        } catch {
            throw ProvisioningError(
                .usage, "the flash command behind --: \(error.reason)", hint: error.hint)
        }
    }

    /// The image of a command that takes none from us: named by the user, or its last argument, where
    /// that is an ELF file, as a cargo runner gets it. Nil: only the command knows it.
    func ownImage(_ named: String?) -> FirmwareImage? {
        if let named { return FirmwareImage(path: URL(filePath: named).standardizedFileURL.path) }
        guard let last = command.dropFirst().last else { return nil }
        let image = FirmwareImage(path: URL(filePath: last).standardizedFileURL.path)
        return (try? image.readBytes())?.starts(with: ELFImage.magic) == true ? image : nil
    }
}
