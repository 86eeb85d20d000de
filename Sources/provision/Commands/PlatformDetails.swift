import Attestation
import Channels
import Foundation
import Platforms
import SMP

/// What `provision platforms NAME` tells of one board: how it is flashed, identified and reached, and how long
/// all may take.
struct PlatformDetails: Encodable {
    struct Limit: Encodable {
        let name: String
        let key: String
        let milliseconds: Int64
        let isStandard: Bool
        let explanation: String
    }

    /// A file that the platform's refers to.
    struct Reference: Encodable {
        let name: String
        let description: String
        let source: String
        let origin: String

        init(_ reference: Platform.Reference) {
            name = reference.name
            description = reference.description
            source = reference.source
            origin = reference.origin
        }

        var text: String { "\(name), \(origin); source: \(source)" }
    }

    let name: String
    let board: String
    let description: String
    let origin: String
    /// The program that is its adapter; nil: it has none, or none that is found.
    let adapter: String?
    let family: Reference?
    let tool: Reference?
    let chip: String?
    /// USB devices that are it, or its probe.
    let match: [String]
    /// Argument lists, or what else flashes it.
    let flash: [String]
    /// Where the device ID is.
    let identify: [String]
    let credentials: [String]
    let channel: String
    let baudRates: [Int]
    let flowControl: String
    let reset: String
    let framing: String
    let smpVersion: Int?
    let timeouts: [Limit]

    init(_ platform: Platform) {
        let settings = platform.channel
        name = platform.name
        board = platform.board
        description = platform.description
        origin = platform.origin
        adapter = try? platform.adapter?.find().path
        family = platform.family.map(Reference.init)
        tool = platform.tool.map(Reference.init)
        chip = platform.chip
        match = platform.usbMatches.map(\.description)
        flash = Self.lines(of: platform.flash)
        identify = Self.lines(of: platform.identification, asksAdapter: platform.adapter != nil)
        credentials = platform.credentials.types.map(\.name).sorted()
        channel = settings.kind.rawValue
        baudRates = settings.baudRates
        flowControl = settings.flowControl.rawValue
        reset = settings.reset?.description ?? "none"
        framing = (settings.kind == .udp ? SMPFraming.datagram : settings.framing).rawValue
        smpVersion = settings.smpVersion.map { Int($0.rawValue) + 1 }
        timeouts = Timeout.allCases.map { timeout in
            let time = platform.timeouts[timeout] / .milliseconds(1)
            return Limit(
                name: timeout.rawValue, key: timeout.key, milliseconds: Int64(time.rounded()),
                isStandard: !platform.timeouts.isGiven(timeout), explanation: timeout.explanation)
        }
    }

    private static func lines(of flash: Platform.Flash) -> [String] {
        switch flash {
        case .gdb(let gdb): ["the built-in GDB loader, then monitor \(gdb.resetCommand)"]
        case .command(let commands), .monitor(let commands, _):
            [commands.flash, commands.erase, commands.reset].compactMap {
                $0.map { Command($0.arguments).description }
            }
        case .adapter: ["its adapter"]
        case .none: ["nothing: the emulator runs the image"]
        }
    }

    /// - Parameter asksAdapter: there is one, and it may know where the file does not.
    private static func lines(
        of identification: Platform.Identification?, asksAdapter: Bool
    ) -> [String] {
        let firmware =
            asksAdapter
            ? "by its adapter, else by the firmware alone" : "by the firmware alone"
        return switch identification {
        case .firmware(let length): [firmware + (length.map { ", \($0) bytes" } ?? "")]
        case .probe(let probed):
            [
                probed.location.map { "by the probe: \($0)" },
                probed.command.map { "or: \(Command($0.command.arguments))" },
            ].compactMap(\.self)
        case nil: [firmware]
        }
    }

    var text: String {
        var facts = [
            ("platform", name), ("board", board), ("description", description), ("from", origin),
        ]
        if let family { facts.append(("family", family.text)) }
        if let tool { facts.append(("tool", tool.text)) }
        if let chip { facts.append(("chip", chip)) }
        facts += match.map { ("match", $0) } + flash.map { ("flash", $0) }
        facts += identify.map { ("identify", $0) }
        facts += [
            ("adapter", adapter ?? "none"),
            ("credentials", credentials.joined(separator: ", ")),
            ("channel", channel), ("baud", baudRates.map(String.init).joined(separator: ", ")),
            ("flow control", flowControl), ("reset", reset), ("framing", framing),
            (
                "SMP version",
                smpVersion.map(String.init) ?? "2, or 1 where the device knows no other"
            ),
        ]
        var limits = Table("TIMEOUT", "MS", "SET BY", "FOR")
        for limit in timeouts {
            limits.append(
                limit.name, String(limit.milliseconds), limit.isStandard ? "default" : "file",
                limit.explanation)
        }
        return facts.map { name, value in
            name.padding(toLength: 14, withPad: " ", startingAt: 0) + Table.printable(value) + "\n"
        }.joined() + "\n" + limits.text
    }
}
