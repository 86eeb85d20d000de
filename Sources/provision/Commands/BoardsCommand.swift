import ArgumentParser
import Channels
import Foundation
import Platforms
import Provisioning

struct BoardsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boards",
        abstract: "What is attached, which platform it is, and why.",
        discussion: """
            Serial ports, debug probes, USB devices that a platform describes, and emulated boards that \
            run. A board whose probe carries its serial port is one line. Nothing is opened: no board \
            is reset by looking at it.

            EXAMPLES
              provision boards
              provision boards --platform microbit
              provision boards --json
            """)

    @OptionGroup var platform: PlatformOptions

    @Flag(help: "Print what --board takes, one on each line.")
    var names = false

    @Flag(help: .hidden)
    var usbSerials = false

    @Flag(help: .hidden)
    var probeSerials = false

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let listing = try BoardListing(platform, stateDirectory: StateDirectory.current().path)
        if names { return try print(listing.names) }
        if usbSerials { return try print(listing.serialNumbers(ofProbes: false)) }
        if probeSerials { return try print(listing.serialNumbers(ofProbes: true)) }
        if json { return try JSONDocument.print(["boards": listing.records]) }
        if listing.records.isEmpty {
            return Terminal.standardError.remark(
                "nothing is attached; provision emulate microbit-qemu plays a board")
        }
        Terminal.standardOutput.write(listing.text)
    }

    private func print(_ lines: [String]) throws {
        if json { return try JSONDocument.print(["names": lines]) }
        Terminal.standardOutput.write(lines.map { Table.printable($0) + "\n" }.joined())
    }
}
