import ArgumentParser
import CBOR
import Foundation
import Provisioning
import Registry

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "The devices that are ours.",
        discussion: """
            EXAMPLES
              provision devices
              provision devices --board microbit --json
              provision devices name 1f0c22ab90de4411 kitchen
              provision devices name 1f0c22ab90de4411 --remove
            """,
        subcommands: [List.self, Name.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the devices (the default).")

        @Option(help: "Only boards of this type.")
        var board: String?

        @Flag(help: "Print one JSON document.")
        var json = false

        func run() throws {
            guard let snapshot = try State().openRegistryIfAny()?.listedSnapshot() else {
                return json ? try JSONListing("devices").end() : ()
            }
            let filter = DeviceFilter(board: board)
            if json {
                var listing = JSONListing("devices")
                try snapshot.forEachDeviceWithCredentials(matching: filter) {
                    try listing.append(JSONValue($0, $1))
                }
                return try listing.end()
            }
            var table = LongTable(
                "DEVICE", "BOARD", "NAME", "KEY", "STATE", "SINCE", "REVOKED KEYS")
            try snapshot.forEachDevice(matching: filter) { device in
                let current = device.keys.last { $0.state != .revoked }
                try table.append(
                    device.identity.id.description, device.identity.board, device.nickname ?? "-",
                    current.map { String($0.thumbprint.hexadecimal.prefix(16)) } ?? "-",
                    current?.state.rawValue ?? "revoked",
                    (current?.registeredAt ?? device.firstSeen).utc,
                    String(device.keys.count { $0.state == .revoked }))
            }
            try table.end()
            if table.isEmpty {
                Terminal.standardError.remark(
                    "no devices yet; provision run --platform NAME registers one")
            }
        }
    }

    struct Name: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "name", abstract: "Give a device a nickname; never needed.")

        @Argument(help: "A device ID, board/ID, or its nickname.")
        var device: String

        @Argument(help: "1 to 64 characters.")
        var nickname: String?

        @Flag(help: "Take the nickname away.")
        var remove = false

        func validate() throws {
            if (nickname == nil) != remove {
                throw ValidationError("give either a nickname or --remove")
            }
        }

        func run() throws {
            let state = try State()
            let registry = try state.openRegistry(for: .changing)
            try state.warnOfClock(registry)
            let identity = try registry.device(named: device).identity
            try registry.setNickname(nickname, of: identity, at: Surroundings.system.now())
            Terminal.standardError.remark(
                "\(identity) is called \(nickname ?? "by its ID") now")
        }
    }
}
