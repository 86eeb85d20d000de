public import ArgumentParser
import CBOR
import Foundation
public import Provisioning
import Registry

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Every key that any device ever had, and whether it is still good.",
        discussion: """
            EXAMPLES
              provision keys
              provision keys --device kitchen
              provision keys --state active --json
            """)

    @Option(help: "Only keys of this device: ID, board/ID or nickname.")
    var device: String?

    @Option(help: "Only keys in this state.")
    var state: KeyState?

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let state = try State()
        // A device that is asked for must be there.
        guard
            let registry = device == nil
                ? try state.openRegistryIfAny() : try state.openRegistry(for: .reading)
        else { return json ? try JSONListing("keys").end() : () }
        let identity = try device.map { try registry.device(named: $0).identity }
        let filter = KeyFilter(device: identity, state: self.state)
        let snapshot = try registry.listedSnapshot()
        if json {
            var listing = JSONListing("keys")
            try snapshot.forEachKeyWithCredentials(matching: filter) {
                try listing.append(JSONValue($0, $1))
            }
            return try listing.end()
        }
        var table = LongTable(
            "KEY", "DEVICE", "BOARD", "ID", "STATE", "REGISTERED", "REVOKED", "REASON")
        try snapshot.forEachKey(matching: filter) { key in
            try table.append(
                String(key.thumbprint.hexadecimal.prefix(16)), key.identity.id.description,
                key.identity.board, String(key.keyID), key.state.rawValue,
                key.registeredAt.utc, key.revocation?.date.utc ?? "-",
                key.revocation?.reason.name ?? "-")
        }
        try table.end()
    }
}

extension KeyState: ExpressibleByArgument {}
