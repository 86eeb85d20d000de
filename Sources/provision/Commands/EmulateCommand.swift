import ArgumentParser
import CBOR
import Channels
import Foundation
import Platforms
import Provisioning

struct EmulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emulate",
        abstract: "A board on the desk that isn't there.",
        discussion: """
            Starts the emulator, prints the board's serial port and its debug probe, and goes on until \
            Ctrl-C. What the firmware keeps in flash is there again at the next start, also \
            after kill -9.

            EXAMPLES
              provision emulate microbit-qemu
              provision emulate microbit-qemu --instance kitchen
              provision emulate native --firmware .build/provision-native/release/Firmware
              # then, elsewhere, with what it printed:
              provision run --platform microbit-qemu --port /dev/pts/7 \\
                --probe unix:/home/…/microbit-qemu-1/gdb
            """)

    @Argument(
        help: "A platform that is emulated.",
        completion: .shellCommand("provision platforms --names"))
    var platform: String

    @OptionGroup var places: CatalogueOptions

    @Option(help: ArgumentHelp("The program, where the emulator is a process.", valueName: "file"))
    var firmware: String?

    @Option(
        help: ArgumentHelp(
            "Which of several boards: each has its own flash and ID.", valueName: "name"))
    var instance: String?

    @Flag(help: "Print the endpoints as one JSON document.")
    var json = false

    private struct Report: Encodable {
        let instance: String
        let port: String
        let probe: String?
        let device: String?
        let processID: Int32
    }

    func validate() throws {
        if firmware == "" { throw ValidationError("--firmware names no file") }
    }

    func run() throws {
        let session = try Session(isVerbose: false)
        let platform = try places.catalogue().platform(
            named: platform, orAskingWith: session.interruption)
        if let firmware { try check(firmware, for: platform) }
        let emulator = try Emulator.start(
            platform, image: firmware.map { URL(filePath: $0).standardizedFileURL.path },
            stateDirectory: session.state.directory.path, instance: instance,
            interruption: session.interruption)
        try show(emulator)
        // Where the board is, is all that this command is good for.
        if let error = Terminal.lossOfOutput { throw Terminal.unwritable(error) }
        try wait(for: emulator)
        try emulator.stop()
        Terminal.standardError.remark("\(emulator.instance) has ended, its flash is kept")
    }

    /// What nobody would run, or nobody can.
    private func check(_ firmware: String, for platform: Platform) throws(ProvisioningError) {
        if case .qemu = platform.emulation {
            throw ProvisioningError(
                .usage, "\(platform.name) is flashed by its probe, and takes no --firmware here",
                hint: "provision run --platform \(platform.name) --firmware \(firmware) flashes it")
        }
        guard access(firmware, R_OK) != 0 else { return }
        let cause = errno
        guard cause == ENOENT else {
            throw ProvisioningError(
                .usage,
                "the firmware \(firmware) can't be read: \(String(cString: strerror(cause)))",
                hint: "is the path right, and open to you?")
        }
        throw ProvisioningError(
            .usage, "there is no firmware \(firmware)", hint: "build it first")
    }

    /// Ctrl-C is how this command ends well.
    private func wait(for emulator: Emulator) throws(ProvisioningError) {
        do {
            try emulator.waitUntilExit()
        } catch {
            if error.code != .interrupted { throw error }
        }
    }

    private func show(_ emulator: Emulator) throws {
        let report = Report(
            instance: emulator.instance, port: emulator.uart,
            probe: emulator.probe?.description, device: emulator.deviceID?.hexadecimal,
            processID: emulator.processID)
        if json { return try JSONDocument.print(report) }
        var lines = [("instance", report.instance), ("port", report.port)]
        if let probe = report.probe { lines.append(("probe", probe)) }
        if let device = report.device { lines.append(("device", device)) }
        for (name, value) in lines {
            Terminal.standardOutput.write(
                name.padding(toLength: 12, withPad: " ", startingAt: 0)
                    + Table.printable(value) + "\n")
        }
        Terminal.standardError.remark("leave with Ctrl-C")
    }
}
