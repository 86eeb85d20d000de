import Foundation
import Platforms
import SMP

/// What `provision platforms NAME` tells of one board: how it is reached, and how long all may take.
struct PlatformDetails: Encodable {
    struct Limit: Encodable {
        let name: String
        let key: String
        let milliseconds: Int64
        let isStandard: Bool
        let explanation: String
    }

    let name: String
    let board: String
    let description: String
    let origin: String
    /// The program that is its adapter; nil: it has none, or none that is found.
    let adapter: String?
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

    var text: String {
        let facts = [
            ("platform", name), ("board", board), ("description", description), ("from", origin),
            ("adapter", adapter ?? "none"), ("channel", channel),
            ("baud", baudRates.map(String.init).joined(separator: ", ")),
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
