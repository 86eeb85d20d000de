import ArgumentParser
import Foundation

/// A board as `--board` names it: `microbit`, `microbit@/dev/ttyACM0`, `native:kitchen`; with its debug probe's GDB
/// server, `microbit@gdb:localhost:3333` or `microbit@/dev/ttyACM0@gdb:localhost:3333`.
struct BoardName: ExpressibleByArgument, Sendable, Hashable {
    let platform: String
    /// What `--port` takes.
    var port: String?
    /// What `--probe` takes.
    var probe: String?
    /// What `--instance` takes.
    var instance: String?

    init?(argument: String) {
        // Names of platforms have neither.
        let end = argument.firstIndex { $0 == "@" || $0 == ":" } ?? argument.endIndex
        platform = String(argument[..<end])
        guard !platform.isEmpty else { return nil }
        guard end != argument.endIndex else { return }
        let rest = String(argument[argument.index(after: end)...])
        guard !rest.isEmpty else { return nil }
        guard argument[end] == "@" else {
            instance = rest
            return
        }
        // Behind the port, in which there may be any character.
        let place = "@" + rest
        guard let server = place.range(of: Self.serverMark, options: .backwards) else {
            port = rest
            return
        }
        probe = String(place[server.upperBound...])
        let named = place[..<server.lowerBound]
        port = named.isEmpty ? nil : String(named.dropFirst())
        guard probe?.isEmpty == false, port?.isEmpty != true else { return nil }
    }

    private static let serverMark = "@gdb:"

    /// For `platform` at a port, behind a GDB server where that is known.
    static func text(_ platform: String, port: String, probe: String?) -> String {
        "\(platform)@\(port)" + (probe.map { serverMark + $0 } ?? "")
    }
}
