import Foundation
import Provisioning
import Testing

@testable import Channels

@Suite struct CommandFlasherTests {
    private let interruption: Interruption
    private let folder: TemporaryFolder

    init() throws {
        interruption = try Interruption()
        folder = try TemporaryFolder()
    }

    private func flasher(_ commands: CommandFlasher.Commands) -> CommandFlasher {
        CommandFlasher(commands, runner: CommandRunner(interruption: interruption) { _ in })
    }

    @Test func erasesFlashesAndResets() throws {
        let image = try folder.file("image ü.bin", [1, 2, 3])
        let log = "\(folder.path)/log"
        func template(_ word: String) throws -> CommandTemplate {
            try CommandTemplate([
                "/bin/sh", "-c", #"echo "$1 $3" >> "$2""#, "sh", word, log, "{image}",
            ])
        }
        let commands = CommandFlasher.Commands(
            flash: try template("flash"), erase: try template("erase"),
            reset: try template("reset"))
        let receipt = try flasher(commands).flash(FirmwareImage(path: image), erasing: true)
        #expect(
            (receipt.digest ?? []).hexadecimal
                == "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81")
        #expect(receipt.byteCount == nil && !receipt.isVerified)
        #expect(
            try String(contentsOfFile: log, encoding: .utf8)
                == "erase \(image)\nflash \(image)\nreset \(image)\n")
    }

    /// Who listens to what the firmware says at its start does so from between the two.
    @Test func itsResetComesAfterWhoListens() throws {
        let image = FirmwareImage(path: try folder.file("image", [1]))
        let log = "\(folder.path)/log"
        func template(_ word: String) throws -> CommandTemplate {
            try CommandTemplate(["/bin/sh", "-c", #"echo "$1" >> "$2""#, "sh", word, log])
        }
        var commands = CommandFlasher.Commands(
            flash: try template("flash"), reset: try template("reset"))
        var heard: [String] = []
        let listen = { heard.append((try? String(contentsOfFile: log, encoding: .utf8)) ?? "") }
        for isOwn in [false, true] {
            unlink(log)
            var flasher = flasher(commands)
            flasher.beforeReset = listen
            _ =
                isOwn
                ? try flasher.flashOwnImage(erasing: false)
                : try flasher.flash(image, erasing: false)
            #expect(try String(contentsOfFile: log, encoding: .utf8) == "flash\nreset\n")
        }
        #expect(heard == ["flash\n", "flash\n"])
        // A tool that starts the firmware itself leaves no moment to listen from.
        commands.reset = nil
        var flasher = flasher(commands)
        flasher.beforeReset = listen
        _ = try flasher.flash(image, erasing: false)
        #expect(heard.count == 2)
    }

    @Test func failsWithTheTool() throws {
        let image = FirmwareImage(path: try folder.file("image", [1]))
        let failing = CommandFlasher.Commands(flash: try CommandTemplate(["false"]))
        let error = expectError(.flashFailed) { () throws(ProvisioningError) in
            try flasher(failing).flash(image, erasing: false)
        }
        #expect(error?.reason.contains("false ended with status 1") == true)
        let succeeding = CommandFlasher.Commands(flash: try CommandTemplate(["true"]))
        expectError(.flashFailed) { () throws(ProvisioningError) in
            try flasher(succeeding).flash(image, erasing: true)
        }
        expectError(.imageInvalid) { () throws(ProvisioningError) in
            try flasher(succeeding).flash(FirmwareImage(path: "/nowhere.elf"), erasing: false)
        }
    }

    @Test func noticesThatTheImageChanged() throws {
        let image = try folder.file("image", [1])
        let commands = CommandFlasher.Commands(
            flash: try CommandTemplate(["/bin/sh", "-c", #"echo >> "$1""#, "sh", "{image}"]))
        let error = expectError(.flashFailed) { () throws(ProvisioningError) in
            try flasher(commands).flash(FirmwareImage(path: image), erasing: false)
        }
        #expect(error?.reason.contains("changed") == true)
    }
}
