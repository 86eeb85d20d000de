import Foundation
import Synchronization
import Testing

@testable import ProvisioningTesting

/// `provision check --device`: a board is asked as `run` would ask it.
@Suite struct DeviceCheckTests {
    /// What the user says of the line reaches the conversation, and its replay.
    @Test func theLineIsAsTheUserSays() throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try DeviceProcess.program(), arguments: ["raw"],
                in: provision.home.appending(path: "device"))
            defer { device.stop() }
            let file = provision.home.appending(path: "raw.transcript").path
            let result = try provision(
                "check", "native", "--device", "--port", device.line.port, "--framing", "raw",
                "--record", file)
            #expect(result.status == 0, "\(result.text)\(result.standardError)")
            let replayed = try provision("check", "native", "--replay", file, "--framing", "raw")
            #expect(replayed.status == 0, "\(replayed.text)\(replayed.standardError)")
            let other = try provision("check", "native", "--replay", file)
            #expect(other.status == 1 && other.text.contains("sends something else"))
        }
    }

    /// Datagrams are replayed as such, and a transcript that does not name them is of a line.
    @Test func datagramsAreReplayed() throws {
        try Executable.withHome { provision in
            let device = try NetworkDevice()
            defer { device.stop() }
            let file = provision.home.appending(path: "udp.transcript")
            let result = try provision(
                "check", "native", "--device", "--port", "udp:127.0.0.1:\(device.port)",
                "--record", file.path)
            #expect(result.status == 0, "\(result.text)\(result.standardError)")
            let replayed = try provision("check", "native", "--replay", file.path)
            #expect(replayed.status == 0, "\(replayed.text)\(replayed.standardError)")

            let text = try String(contentsOf: file, encoding: .utf8)
            let mark = "\"datagrams\":true,"
            try #require(text.contains(mark))
            try Data(text.replacing(mark, with: "").utf8).write(to: file)
            let line = try provision("check", "native", "--replay", file.path)
            #expect(line.status == 1 && line.text.contains("sends something else"))
        }
    }

    /// A board without a key makes it, keeps it, and is registered with it by the run that follows.
    @Test func theKeyThatTheCheckHasMadeStays() throws {
        try Executable.withHome { provision in
            let device = try NativeDevice(
                try Firmware.native(), in: provision.home.appending(path: "device"))
            defer { device.stop() }
            let arguments = ["native", "--port", device.line.port]
            let check = try provision.run(
                Executable.url, ["check", "--device"] + arguments, in: provision.home)
            try #require(check.status == 0, "\(check.text)\(check.standardError)")
            #expect(try provision.keys().isEmpty)
            let run = try provision(
                "enroll", "--platform", "native", "--port", device.line.port, "--json")
            let thumbprint = try #require(try run.json()["thumbprint"] as? String)
            #expect(check.text.contains("key \(thumbprint.prefix(16))…"))
            #expect(try run.json()["isNewKey"] as? Bool == true)
        }
    }

    /// A device that says nothing is given up when the user says.
    @Test func theTimesAreTheUsers() throws {
        try Executable.withHome { provision in
            let silent = try SilentBoard(in: provision.home)
            defer { silent.stop() }
            let result = try provision(
                "check", "native", "--device", "--port", silent.port, "--timeout", "boot=1ms")
            #expect(result.status == 1, "\(result.standardError)")
            // No second one has its turn in 1.5 ms.
            #expect(result.text.contains("silence after 1 attempt on"), "\(result.text)")
            // The board reads on a thread of its own.
            for _ in 0..<3000 where silent.byteCount == 0 { usleep(10_000) }
            #expect(silent.byteCount > 0)
        }
    }

    /// Nothing is sent to a device that only reports: it is not asked, and says why.
    @Test func aBoardThatOnlyReportsIsLeftAlone() throws {
        try Executable.withHome { provision in
            let silent = try SilentBoard(in: provision.home)
            defer { silent.stop() }
            let image = provision.home.appending(path: "image").path
            let flashed = provision.home.appending(path: "flashed").path
            try Data("image".utf8).write(to: URL(filePath: image))
            let file = provision.home.appending(path: "oneway.toml")
            try Data(
                """
                name = "oneway"
                description = "a board that only prints"
                board = "native"
                [flash]
                method = "command"
                command = ["/bin/cp", "{image}", "\(flashed)"]
                [channel]
                kind = "uart"
                [report]
                [timeouts]
                boot-ms = 1
                """.utf8
            ).write(to: file)
            let result = try provision(
                "check", file.path, "--device", "--firmware", image, "--port", silent.port)
            #expect(result.status == 0, "\(result.text)\(result.standardError)")
            let rows = result.text.split(separator: "\n")
                .filter { $0.contains("the device proves that it holds its key") }
            #expect(rows.count == 1)
            #expect(rows.allSatisfy { $0.contains("its device only prints a line with its key") })
            #expect(silent.byteCount == 0)
            #expect(!FileManager.default.fileExists(atPath: flashed))
        }
    }

    /// What nobody would look at is refused.
    @Test(arguments: [
        ["--framing", "raw"], ["--smp-version", "1"], ["--timeout", "boot=1s"], ["--baud", "9600"],
        ["--flow-control", "none"], ["--reset", "esp"], ["--no-reset"],
    ])
    func withoutABoardThereIsNoLine(_ option: [String]) throws {
        try Executable.withHome { provision in
            let result = try provision.run(Executable.url, ["check", "native"] + option)
            result.expectError("usage", status: 2, "\(option[0]) is for --device")
        }
    }
}

/// A board that takes whatever it is sent, and says nothing.
private final class SilentBoard {
    private let board: BoardFolder
    private let count: ByteCount

    init(in folder: URL) throws {
        let place = folder.appending(path: "silent")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let count = ByteCount()
        self.count = count
        var behaviour = BoardFolder.Behaviour()
        behaviour.talk = { bytes in
            count.add(bytes.count)
            return []
        }
        board = try BoardFolder(in: place.path, id: "1f0c5a9922ee4b07", behaviour)
    }

    var port: String { board.path + "/console" }
    /// What it was sent until it was asked.
    var byteCount: Int { count.value }

    func stop() { board.unplug() }
}

private final class ByteCount: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add(_ more: Int) { count.withLock { $0 += more } }
}
