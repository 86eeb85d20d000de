import Foundation
import JTAGProbe
import Testing

extension HostileDesk {
    /// Where a run reads a log that does not end by itself, but for that of `file`.
    enum LogPlace: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case file
        /// Another program writes it meanwhile.
        case growingFile
        /// With a name, and as standard input.
        case pipe, standardInput
        /// A tool that listens, and one that connects.
        case server, client
        /// What a flash tool prints that goes on running.
        case flasher
        case port
        /// The platform's, over the desk's way.
        case channel

        var testDescription: String { rawValue }

        /// A board that this run flashed may have a new key. Through a line that is slow, a log has pauses.
        func carries(_ hostility: LogHostility) -> Bool {
            switch self {
            case .file, .growingFile, .pipe, .standardInput: true
            case .flasher: hostility.code != .replacementUnproven && !hostility.needsAll
            case .server, .client, .port, .channel: !hostility.needsAll
            }
        }

        /// What is waited for before it is given up.
        func limit(over way: Way) -> Hostility.Limit {
            switch self {
            case .file: .none
            // Whoever connects, or flashes, takes as long as the board.
            case .client, .flasher: .write
            case .channel where way.isProbed: .flood
            default: .start
            }
        }
    }

    /// `provision enroll`, or `run` where it takes that, with what says `text` at `place`.
    func read(_ text: [UInt8], at place: LogPlace, _ options: [String] = []) throws
        -> Executable.Result
    {
        let log = provision.home.appending(path: "log-\(UUID().uuidString.prefix(8))").path
        defer { unlink(log) }
        switch place {
        case .file:
            let count = max(1, min(8, (4 << 20) / max(1, text.count)))
            try Data((0..<count).flatMap { _ in text }).write(to: URL(filePath: log))
            return try enroll(["--log", log] + options)
        case .growingFile:
            try Data().write(to: URL(filePath: log))
            let talker = LogTalker(text) { Self.open(log, O_WRONLY | O_APPEND) }
            defer { talker.stop() }
            return try enroll(["--log", log, "--follow"] + options)
        case .pipe, .standardInput, .flasher:
            try #require(mkfifo(log, 0o600) == 0)
            // Both ends, so that it outlives each of its readers.
            let talker = LogTalker(text) { Self.open(log, O_RDWR | O_NONBLOCK) }
            defer { talker.stop() }
            return try enroll(pipe: log, place, options)
        case .client:
            let port = try JTAGProbe.freePort()
            let talker = LogTalker(text) { LoopbackListener.connection(to: port) }
            defer { talker.stop() }
            return try enroll(
                ["--log", "listen::\(port)", "--timeout", "flash=\(Self.timeouts.boot)ms"]
                    + options)
        case .server, .port, .channel:
            let line = try HostileLine { line in
                while line.receive(within: 20) != nil { guard line.send(text) else { return } }
            }
            defer { line.close() }
            return try enroll(on: line.port, place, options)
        }
    }

    private func enroll(pipe: String, _ place: LogPlace, _ options: [String]) throws
        -> Executable.Result
    {
        switch place {
        case .standardInput:
            let shell = ["-c", "log=$1; shift; exec \"$@\" <\"$log\"", "sh", pipe]
            return try provision.run(
                URL(filePath: "/bin/sh"),
                shell + [Executable.url.path] + arguments(at: ["--log", "-"] + options),
                within: Self.patience)
        case .flasher:
            let run = arguments(at: ["--log", "flasher", "--detach"] + options).dropFirst()
            return try provision.run(
                Executable.url,
                ["run"] + run + ["--timeout", "flash=\(Self.timeouts.boot)ms"]
                    + ["--", "/bin/sh", "-c", "exec cat \"$0\"", pipe], within: Self.patience)
        default: return try enroll(["--log", pipe] + options)
        }
    }

    private func enroll(on port: String, _ place: LogPlace, _ options: [String]) throws
        -> Executable.Result
    {
        switch place {
        case .server:
            let relay = try StreamRelay(socket: port)
            defer { relay.end() }
            return try enroll(["--log", relay.port] + options)
        case .channel:
            return try enroll(
                over: port,
                ["--log", "channel", "--timeout", "boot=\(Self.boot(over: way))ms"] + options)
        default: return try enroll(["--log", port] + options)
        }
    }

    private func enroll(_ options: [String]) throws -> Executable.Result {
        try provision.run(Executable.url, arguments(at: options), within: Self.patience)
    }

    private static func open(_ path: String, _ flags: Int32) -> Int32? {
        let descriptor = Foundation.open(path, flags | O_CLOEXEC)
        return descriptor < 0 ? nil : descriptor
    }
}
