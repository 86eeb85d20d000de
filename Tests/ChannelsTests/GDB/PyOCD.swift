import Foundation

@testable import Channels

/// The real GDB server of pyOCD, with a chip behind its access port that is a stub: see
/// `Tests/Judges/gdb_server.py`.
final class PyOCD {
    let port: UInt16
    private let process = Process()
    private let (input, output) = (Pipe(), Pipe())

    private static let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
    private static let python = root.appending(path: ".build/judges-flash/bin/python")
    static let isInstalled = FileManager.default.isExecutableFile(atPath: python.path)

    /// Where the stub has RAM, and how many bytes of it.
    static let ram = (address: UInt64(0x2000_0000), length: 0x2000)

    struct NotListening: Error {}

    init() throws {
        process.executableURL = Self.python
        process.arguments = [Self.root.appending(path: "Tests/Judges/gdb_server.py").path]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        guard let port = UInt16(Self.line(output)) else { throw NotListening() }
        self.port = port
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func connect() throws -> GDBRemote {
        let channel = try StreamChannel.connect(
            host: "127.0.0.1", port: port, within: .seconds(60), interruption: Interruption())
        return try GDBRemote(channel: channel, replyTimeout: .seconds(60))
    }

    /// What the chip does: `halted` or `running`.
    var state: String {
        get throws {
            try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
            return Self.line(output)
        }
    }

    /// Becomes `state` soon: a server lets go of its core after it has answered.
    func becomes(_ state: String) throws -> Bool {
        for _ in 0..<1000 {
            if try self.state == state { return true }
            usleep(10_000)
        }
        return false
    }

    private static func line(_ pipe: Pipe) -> String {
        var line = Data()
        while let byte = try? pipe.fileHandleForReading.read(upToCount: 1), !byte.isEmpty,
            byte != Data("\n".utf8)
        {
            line += byte
        }
        return String(decoding: line, as: UTF8.self)
    }
}
