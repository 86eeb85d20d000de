public import ArgumentParser
import Attestation
import Foundation
public import Provisioning
import Registry

struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Say that a key or certificate is not good any more, and why.",
        discussion: """
            Nothing is deleted. Revoking a key revokes its certificates; `provision export --format crl` \
            tells others.

            EXAMPLES
              provision revoke --device 1f0c22ab90de4411 --reason key-compromise
              provision revoke --key 3f9a41c07b22 --reason cessation-of-operation \\
                --note "board sold"
              provision revoke --certificate 5d0c6a…
            """)

    @Option(help: "All keys of this device: ID, board/ID or nickname.")
    var device: String?

    @Option(help: "One key: its thumbprint, or the first 8 digits of it.")
    var key: String?

    @Option(help: "One certificate or CWT: its serial number in hexadecimal.")
    var certificate: String?

    @Option(help: "RFC 5280's reason; without one, unspecified.")
    var reason: RevocationReason?

    @Option(help: "Your words for the log.")
    var note: String?

    @Flag(help: "Show what would be revoked.")
    var dryRun = false

    @Flag(help: "Print one JSON document.")
    var json = false

    func validate() throws {
        guard [device, key, certificate].compactMap(\.self).count == 1 else {
            throw ValidationError("give one of --device, --key and --certificate")
        }
    }

    private struct Report: Encodable {
        let keys: [JSONValue]
        let credentials: [JSONValue]
        let isDryRun: Bool
    }

    func run() throws {
        let state = try State()
        let registry = try state.openRegistry(for: .changing)
        try state.warnOfClock(registry)
        let selector = try selector(registry)
        let reason = reason ?? .unspecified
        let now = Surroundings.system.now()
        let outcome =
            try dryRun
            ? registry.revocable(selector, at: now)
            : registry.revoke(selector, reason: reason, at: now, note: note)
        if json {
            return try JSONDocument.print(
                Report(
                    keys: try outcome.keys.map {
                        JSONValue($0, try registry.credentials(of: $0.thumbprint))
                    },
                    credentials: outcome.credentials.map { JSONValue($0) }, isDryRun: dryRun))
        }
        let verb = dryRun ? "would revoke" : "revoked"
        for key in outcome.keys {
            Terminal.standardOutput.write(
                "\(verb) key \(key.thumbprint.hexadecimal) of \(key.identity) (\(reason.name))\n")
        }
        for credential in outcome.credentials {
            Terminal.standardOutput.write(
                "\(verb) \(credential.type.name) \(credential.serialNumber.hexadecimal)\n")
        }
    }

    private func selector(_ registry: SQLiteRegistry) throws -> RevocationSelector {
        if let device { return .device(try registry.device(named: device).identity) }
        if let key { return .key(try registry.key(thumbprintPrefix: key).thumbprint) }
        guard let serial = DeviceID(hexadecimal: certificate ?? ""), serial.bytes.count <= 20 else {
            throw ProvisioningError(
                .usage, "\"\(certificate ?? "")\" is no serial number",
                hint: "give up to 20 octets in hexadecimal, as provision keys --json shows them")
        }
        return .credential(serialNumber: serial.bytes, issuer: nil)
    }
}

extension RevocationReason: ExpressibleByArgument {
    public init?(argument: String) {
        guard let reason = Self.allCases.first(where: { $0.name == argument }) else { return nil }
        self = reason
    }

    public static var allValueStrings: [String] { allCases.map(\.name) }
}
