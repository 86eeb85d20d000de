import Foundation
import Synchronization
import Testing

/// A board that only prints is never spoken to: to what else listens on its line, or to firmware that takes its
/// input for commands, a question is noise.
@Suite struct NothingIsWrittenTests {
    /// Prints its report again and again, and keeps what is said to it.
    private final class Board: Sendable {
        private let said = Mutex<[UInt8]>([])

        var heard: [UInt8] { said.withLock { $0 } }

        func behave(_ line: HostileLine, log: String) {
            // Opening a port discards what was on its way, so the board repeats its report.
            while let bytes = line.receive(within: 50) {
                said.withLock { $0 += bytes }
                guard line.send(Array(log.utf8)) else { return }
            }
        }
    }

    /// From the first look at its port until the console is left; with rates among which a board that answers
    /// would be asked for its own.
    @Test(arguments: ["enroll", "run"], ["channel", "port"])
    func aBoardThatOnlyReports(command: String, source: String) throws {
        try OneWayDesk.with { desk in
            let log = try desk.bootLog()
            let board = Board()
            let line = try HostileLine { line in board.behave(line, log: log) }
            defer { line.close() }
            let platform = try desk.platform(
                "listening",
                """
                [flash]
                method = "command"
                command = ["/bin/true", "{image}"]
                [channel]
                kind = "uart"
                baud = [115200, 57600, 9600]
                [timeouts]
                boot-ms = 600000
                """)
            let channel = source == "port" ? ["--log", line.port] : ["--log", "channel"]
            let run = try BackgroundRun(
                desk.provision,
                [command] + (command == "run" ? ["--firmware", "/bin/true"] : ["--attach"])
                    + platform + channel + (source == "port" ? [] : ["--port", line.port]))
            try #require(run.says("attached to"), "\(run.errorOutput)")
            #expect(run.interrupt() == 0, "\(run.errorOutput)")
            #expect(try desk.provision.keys()["active"]?.count == 1)
            #expect(board.heard == [], "\(String(decoding: board.heard, as: UTF8.self))")
        }
    }
}
