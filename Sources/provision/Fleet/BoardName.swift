import ArgumentParser
import Foundation

/// A board as `--board` names it: `microbit`, `microbit@/dev/ttyACM0`, `native:kitchen`.
struct BoardName: ExpressibleByArgument, Sendable, Hashable {
    let platform: String
    /// What `--port` takes.
    var port: String?
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
        if argument[end] == "@" { port = rest } else { instance = rest }
    }
}
