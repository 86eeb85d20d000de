import ArgumentParser
import Foundation

/// A board as `--board` names it: `microbit`, `microbit@/dev/ttyACM0`, `native:kitchen`; with its debug probe's GDB
/// server, `microbit@gdb:localhost:3333` or `microbit@/dev/ttyACM0@gdb:localhost:3333`.
struct BoardName: Sendable, Hashable {
    let platform: String
    /// What `--port` takes.
    var port: String?
    /// What `--probe` takes.
    var probe: String?
    /// What `--instance` takes.
    var instance: String?

    /// - Throws: `ValidationError`, which says what is missing.
    init(_ text: String) throws {
        // Names of platforms have neither.
        let end = text.firstIndex { $0 == "@" || $0 == ":" } ?? text.endIndex
        platform = String(text[..<end])
        guard !platform.isEmpty else { throw ValidationError("there is no platform's name in it") }
        guard end != text.endIndex else { return }
        let rest = String(text[text.index(after: end)...])
        guard text[end] == "@" else {
            guard !rest.isEmpty else { throw ValidationError("behind \":\" there is no instance") }
            instance = rest
            return
        }
        // Behind the port, in which there may be any character.
        let place = "@" + rest
        guard let server = place.range(of: Self.serverMark, options: .backwards) else {
            guard !rest.isEmpty else { throw ValidationError("behind \"@\" there is no port") }
            port = rest
            return
        }
        probe = String(place[server.upperBound...])
        let named = place[..<server.lowerBound]
        port = named.isEmpty ? nil : String(named.dropFirst())
        guard probe?.isEmpty == false else {
            throw ValidationError("behind \"\(Self.serverMark)\" there is no HOST:PORT")
        }
        guard port?.isEmpty != true else {
            throw ValidationError("between \"@\" and \"\(Self.serverMark)\" there is no port")
        }
    }

    private static let serverMark = "@gdb:"

    /// For `platform` at a port, behind a GDB server where that is known.
    static func text(_ platform: String, port: String, probe: String?) -> String {
        "\(platform)@\(port)" + (probe.map { serverMark + $0 } ?? "")
    }
}
