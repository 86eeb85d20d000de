import Channels
import Foundation
import Testing

/// Ports that can't be used, and who has them.
@Suite struct WrongPortTests {
    @Test func aPathThatIsNoPort() throws {
        try Executable.withHome { provision in
            let file = provision.home.appending(path: "file")
            try Data().write(to: file)
            for (path, what) in [
                ("/dev/ttyNONE7", "there is no port /dev/ttyNONE7"),
                (file.path + "/ttyACM0", "there is no port"),
                (provision.home.path, "is not a serial port, but a folder"),
                (file.path, "is not a serial port, but a file"),
                ("/dev/null", "is not a serial port, but another device"),
            ] {
                let result = try provision("enroll", "--platform", "native", "--port", path)
                result.expectError("channel-unavailable", status: 5, what)
            }
            #expect(try provision.keys().isEmpty)
        }
    }

    #if os(Linux)
        @Test func aPortThatIsClosedToTheUser() throws {
            let terminal = try Terminal()
            try #require(chmod(terminal.path, 0) == 0)
            try Executable.withHome { provision in
                let result = try provision(
                    in: .ordinaryUser, ["enroll", "--platform", "native", "--port", terminal.path])
                result.expectError(
                    "channel-unavailable", status: 5, terminal.path, "Permission denied")
                #expect(result.hint?.contains("its mode is 0") == true)
            }
        }

        /// A terminal program that locks the port, as most do.
        @Test func aPortThatAnotherProgramLocked() throws {
            let terminal = try Terminal()
            let holder = try Holder("/usr/bin/flock", "-F", terminal.path, "sleep", "60")
            defer { holder.end() }
            try Executable.withHome { provision in
                var result = try provision(
                    "enroll", "--platform", "native", "--port", terminal.path)
                for _ in 0..<100 where result.errorCode != "channel-busy" {
                    result = try provision(
                        "enroll", "--platform", "native", "--port", terminal.path)
                }
                result.expectError(
                    "channel-busy", status: 5, terminal.path, "sleep (process \(holder.processID))")
            }
        }

        /// One that only has it open: it may take the device's answers.
        @Test func aPortThatAnotherProgramReads() throws {
            let terminal = try Terminal()
            let holder = try Holder("/usr/bin/tail", "-f", terminal.path)
            defer { holder.end() }
            try Executable.withHome { provision in
                let result = try provision(
                    "enroll", "--platform", "native", "--port", terminal.path)
                result.expectError(
                    "device-silent", status: 5, terminal.path, "tail (process \(holder.processID))")
            }
        }

        /// One that may have taken the answer out of what else the device says.
        @Test func aPortThatAnotherProgramHasOpen() throws {
            let line = try HostileLine { line in
                while line.receive(within: 20) != nil {
                    guard line.send(Array("I: temperature 21 °C\r\n".utf8)) else { return }
                }
            }
            defer { line.close() }
            let holder = try Holder(
                "/bin/sh", "-c", #"exec 3<"$1"; exec sleep 600"#, "sh", line.port)
            defer { holder.end() }
            try #require(holder.becomes("sleep"))
            try Executable.withHome { provision in
                let result = try provision("enroll", "--platform", "native", "--port", line.port)
                result.expectError(
                    "no-answer", status: 5,
                    "sleep (process \(holder.processID)) has \(line.port) open too")
            }
        }
    #endif
}

/// A pseudo-terminal behind which nothing answers.
private final class Terminal {
    let path: String
    private let master: Int32

    init() throws {
        let terminal = try PseudoTerminal(isRaw: false)
        close(terminal.slave)
        (master, path) = (terminal.master, terminal.path)
    }

    deinit { close(master) }
}

/// Another program, ended by its ID.
private final class Holder {
    private let process = Process()
    var processID: Int32 { process.processIdentifier }

    init(_ program: String, _ arguments: String...) throws {
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Whether it executes `program` before a minute is over.
    func becomes(_ program: String) -> Bool {
        for _ in 0..<6000 {
            let name = try? String(contentsOfFile: "/proc/\(processID)/comm", encoding: .utf8)
            if name == program + "\n" { return true }
            usleep(10_000)
        }
        return false
    }

    func end() {
        // Foundation may have started it with SIGTERM blocked.
        kill(processID, SIGKILL)
        process.waitUntilExit()
    }
}
