import ArgumentParser
import Foundation
import Provisioning
import Registry

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Hand out what others need: lists of devices and keys, revocations, credentials.",
        discussion: """
            EXAMPLES
              provision export --format jsonl                  every device, one a line
              provision export --format csv --output keys.csv  every key, a row each
              provision export --format keyset --output k.cbor COSE_KeySet of active keys
              provision export --format crl --output crl.pem   issuing CA's, then root's
              provision export --format chain --device kitchen PEM, the device's first
              provision export --format ariel-peers --scope allow-all \\
                --output peers.yml --watch
              provision export --format aiocoap --uri 'coap://{nickname}.local/*'

            WATCHING
              With --watch the file follows the registry until Ctrl-C. It is replaced only when its \
            content changes, so that build tools see it.

            MEMORY
              Every export shows one moment, and takes the same memory for ten devices as for a \
            million; but crl, which is signed as a whole, holds every revoked certificate's entry.
            """)

    @Option(help: "What to hand out.")
    var format: ExportFormat

    @Option(
        help: ArgumentHelp("Only this device: ID, board/ID or nickname.", valueName: "device"))
    var device: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where to; replaced at once. Default, or -: standard output.", valueName: "file"),
        completion: .file())
    var output: String?

    /// Nil: standard output.
    private var file: String? { output == "-" ? nil : output }

    @Option(help: "With crl: days until the next revocation list is due. Default: 30.")
    var nextUpdateDays: Int?

    @Flag(help: "Keep the file current as devices come and go, until Ctrl-C. With --output.")
    var watch = false

    @OptionGroup(title: "For CoAP peers")
    var peers: PeerOptions

    func validate() throws {
        if output == "" { throw ValidationError("--output names no file") }
        try peers.check(format)
        guard !watch || file != nil else {
            throw ValidationError("--watch needs a file that it can replace: --output FILE")
        }
        guard !watch || format != .crl else {
            throw ValidationError("every revocation list has a number of its own: no --watch")
        }
        guard !format.needsDevice || device != nil else {
            throw ValidationError("--format \(format.rawValue) needs --device")
        }
        guard let nextUpdateDays else { return }
        guard format == .crl else {
            throw ValidationError("--next-update-days goes with --format crl")
        }
        guard (1...3650).contains(nextUpdateDays) else {
            throw ValidationError("--next-update-days is 1 to 3650, not \(nextUpdateDays)")
        }
    }

    func run() throws {
        if file == nil, format.isBinary, Terminal.standardOutput.isInteractive {
            throw ProvisioningError(
                .usage, "\(format.rawValue) is binary, and standard output is a terminal",
                hint: "add --output FILE")
        }
        let state = try State()
        if watch, let file {
            let session = try Session(isVerbose: false)
            return try ExportWatch(path: file, interruption: session.interruption).run(
                head: { try state.openRegistry(for: .reading, isVerified: true).head() },
                write: { try self.export(state, isVerified: true).write(format, to: $0) })
        }
        // A registry that is not there costs no file; a file that can't be written, no number of a list.
        let export = try self.export(state, isVerified: false)
        let destination = try ExportDestination(path: file)
        try export.write(format, to: destination)
        try destination.commit()
    }

    private func export(_ state: State, isVerified: Bool) throws -> Export {
        // Revocation lists are numbered.
        let registry = try state.openRegistry(
            for: format == .crl ? .changing : .reading, isVerified: isVerified)
        return Export(
            registry: registry, state: state,
            device: try device.map { try registry.device(named: $0).identity },
            nextUpdateDays: nextUpdateDays ?? 30, peers: peers)
    }
}

enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
    case jsonl, csv, keyset, crl, chain, cwt, evidence
    case arielPeers = "ariel-peers"
    case aiocoap

    var needsDevice: Bool { [.chain, .cwt, .evidence].contains(self) }
    var isBinary: Bool { [.keyset, .cwt, .evidence].contains(self) }
}
