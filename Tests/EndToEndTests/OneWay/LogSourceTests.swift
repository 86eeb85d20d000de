import Channels
import Foundation
import Testing

/// Where the log of a board comes from that only prints a line with its key.
@Suite struct LogSourceTests {
    @Test func standardInput() throws {
        try OneWayDesk.with { desk in
            let log = try desk.bootLog()
            let first = try desk.json(["enroll", "--platform", "native", "--log", "-"], input: log)
            #expect(first["isNewKey"] as? Bool == true)
            #expect(first["keyState"] as? String == "active")
            #expect(first["report"] as? String == "provision")
            #expect(first["isPossessionProven"] as? Bool == true)
            #expect((first["credentials"] as? [Any])?.isEmpty == true)
            #expect(try desk.provision.keys()["active"] == [first["thumbprint"] as? String ?? ""])
            // Another boot of the same board, and the same log once more.
            for text in [try desk.bootLog(), log] {
                let again = try desk.json(
                    ["enroll", "--platform", "native", "--log", "-"], input: text)
                #expect(again["isNewKey"] as? Bool == false)
            }
            #expect(try desk.provision("registry", "verify").status == 0)
        }
    }

    /// The tool that writes the file comes later than this one.
    @Test func aFileThatGrows() throws {
        try OneWayDesk.with { desk in
            let path = try desk.file("log", "an old line\n")
            let run = try BackgroundRun(
                desk.provision,
                try desk.platform(
                    "patient",
                    """
                    [flash]
                    method = "gdb"
                    [channel]
                    kind = "uart"
                    [timeouts]
                    boot-ms = 600000
                    """
                ).reduce(
                    into: ["enroll", "--log", path, "--follow", "--attach", "-v"]
                ) { $0.append($1) })
            #expect(run.says("| an old line"), "\(run.errorOutput)")
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data((try desk.bootLog()).utf8))
            #expect(run.prints("key         "), "\(run.errorOutput)")
            #expect(run.says("attached to \(path), read-only"))
            try file.write(contentsOf: Data("a later line\n".utf8))
            #expect(run.prints("a later line"))
            #expect(run.interrupt() == 0)
            try file.close()
        }
    }

    /// What a file held before the board was flashed was said by the firmware before.
    @Test func aFileFromTheFlashingOn() throws {
        try OneWayDesk.with { desk in
            let old = try desk.bootLog("old")
            let path = try desk.file("log", old)
            let run = try BackgroundRun(
                desk.provision,
                ["run", "--firmware", try Firmware.native(), "--log", path, "--json"]
                    + (try desk.reporting()))
            #expect(run.says("flash   "), "\(run.errorOutput)")
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data((try desk.bootLog("new")).utf8))
            try file.close()
            #expect(run.wait() == 0, "\(run.errorOutput)")
            let report = try run.json()
            let id = try Data(contentsOf: desk.provision.home.appending(path: "new/device-id"))
            #expect(report["device"] as? String == id.map { String(format: "%02x", $0) }.joined())
        }
    }

    /// Who has forgotten to start what writes to it, or to the file, is told.
    @Test func whatNobodyWritesToIsWaitedFor() throws {
        try OneWayDesk.with { desk in
            let pipe = desk.provision.home.path + "/pipe"
            try #require(mkfifo(pipe, 0o600) == 0)
            let enroll = ["enroll", "--platform", "native", "--timeout", "boot=200ms"]
            let silent = try desk.run(enroll + ["--log", pipe])
            silent.expectError("report-missing", status: 5)
            #expect(
                silent.standardError.contains("waiting 200 ms for somebody to write to \(pipe)"))
            let missing = try desk.run(enroll + ["--follow", "--log", pipe + "2"])
            missing.expectError("channel-unavailable", status: 5, pipe + "2")
            #expect(missing.standardError.contains("waiting 200 ms for \(pipe)2 to be there"))
        }
    }

    @Test func aTerminal() throws {
        try OneWayDesk.with { desk in
            let log = Array(try desk.bootLog().utf8)
            let terminal = try PseudoTerminal(isRaw: false)
            defer { terminal.close() }
            let (master, port) = (terminal.master, terminal.path)
            _ = fcntl(master, F_SETFL, O_NONBLOCK)
            let run = try BackgroundRun(
                desk.provision,
                ["enroll", "--log", port, "--json"]
                    + desk.platform(
                        "patient",
                        """
                        [flash]
                        method = "gdb"
                        [channel]
                        kind = "uart"
                        [timeouts]
                        boot-ms = 600000
                        """))
            // Opening a port discards what was on its way, so the board repeats its report.
            for _ in 0..<1200 where run.errorOutput.contains("register") == false {
                _ = log.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
                usleep(50_000)
            }
            #expect(run.wait() == 0, "\(run.errorOutput)")
            #expect(try run.json()["isNewKey"] as? Bool == true)
        }
    }

    /// The flash tool has the same port meanwhile, and what the firmware before says until then is not new.
    @Test func aTerminalThatTheBoardIsFlashedThrough() throws {
        try OneWayDesk.with { desk in
            let (old, new) = (try desk.bootLog("old"), try desk.bootLog("new"))
            let terminal = try PseudoTerminal(isRaw: false)
            defer { terminal.close() }
            let (master, port) = (terminal.master, terminal.path)
            _ = fcntl(master, F_SETFL, O_NONBLOCK)
            func say(_ log: String) {
                _ = Array(log.utf8).withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            }
            let (mark, goOn) = (
                desk.provision.home.appending(path: "flashing").path,
                desk.provision.home.appending(path: "go-on").path
            )
            let script =
                "flock -n \(port) true && touch \(mark) && until [ -e \(goOn) ]; do sleep 0.02; done"
            let run = try BackgroundRun(
                desk.provision,
                ["run", "--firmware", try Firmware.native(), "--log", port, "--json", "-v"]
                    + desk.platform(
                        "shared",
                        """
                        [flash]
                        method = "command"
                        command = ["/bin/sh", "-c", '\(script)', "tool", "{image}"]
                        [channel]
                        kind = "uart"
                        [timeouts]
                        boot-ms = 600000
                        """))
            try #require(run.waits(for: mark), "\(run.errorOutput)")
            say(old)
            try desk.file("go-on", "")
            // Until the port is open again, all that is said is discarded.
            for _ in 0..<1200 where run.errorOutput.contains("register") == false {
                usleep(50_000)
                if run.errorOutput.contains("flash   ") { say(new) }
            }
            #expect(run.wait() == 0, "\(run.errorOutput)")
            let id = try Data(contentsOf: desk.provision.home.appending(path: "new/device-id"))
            #expect(
                try run.json()["device"] as? String
                    == id.map { String(format: "%02x", $0) }.joined(), "\(run.errorOutput)")
        }
    }

    /// The real firmware, on the platform's channel.
    @Test func thePlatformsChannel() throws {
        try OneWayDesk.with { desk in
            let arguments = ["run", "--firmware", try Firmware.native(), "--detach"]
            let platform = try desk.reporting()
            let first = try desk.json(arguments + platform)
            #expect(first["report"] as? String == "provision")
            #expect(first["imageDigest"] is String)
            let second = try desk.json(arguments + platform)
            #expect(second["isNewKey"] as? Bool == false)
            let third = try desk.json(arguments + platform + ["--erase"])
            #expect(third["superseded"] as? [String] == [first["thumbprint"] as? String ?? ""])
            // Asked, the same device shows that it is the same.
            let asked = try desk.json(["run", "--platform", "native"] + arguments.dropFirst())
            #expect(asked["device"] as? String != nil)
            #expect(try desk.provision("registry", "verify").status == 0)
        }
    }

    /// The log's channel of a board that is reached through its probe alone.
    @Test func theLogThroughAProbe() throws {
        let image = try Firmware.reportingMicrobit()
        try OneWayDesk.with { desk in
            let arguments = [
                "run", "--platform", "microbit-qemu-rtt", "--firmware", image, "--log", "channel",
                "--detach",
            ]
            let first = try desk.json(arguments)
            #expect(first["isIDReadByProbe"] as? Bool == true)
            #expect(first["isPossessionProven"] as? Bool == true)
            #expect(try desk.json(arguments)["isNewKey"] as? Bool == false)
            // It can be asked as well, and has the same key.
            let asked = try desk.json([
                "run", "--platform", "microbit-qemu-rtt", "--firmware", image, "--detach",
            ])
            #expect(asked["thumbprint"] as? String == first["thumbprint"] as? String)
            #expect(asked["isNewKey"] as? Bool == false)
            #expect((asked["credentials"] as? [Any])?.count == 3)
        }
    }

    @Test func whatDoesNotFitTogetherIsRefused() throws {
        try OneWayDesk.with { desk in
            let log = try desk.file("log", "")
            let native = ["--platform", "native"]
            func refuse(_ arguments: [String], _ words: String...) throws {
                let result = try desk.run(arguments)
                #expect(result.status == 2, "\(arguments): \(result.standardError)")
                for word in words {
                    #expect(result.standardError.contains(word), "\(result.standardError)")
                }
            }
            try refuse(["enroll", "--log", "-", "--follow"] + native, "--follow")
            try refuse(["enroll", "--log", "flasher"] + native, "does not go on running")
            try refuse(
                ["enroll", "--log", log, "--credentials", "cwt"] + native, "--output-credentials")
            try refuse(
                ["enroll", "--log", log, "--output-credentials", "x"] + native, "nothing to write")
            try refuse(["enroll", "--output-credentials", "x"] + native, "only reports")
            let monitored = try desk.monitored("true")
            let image = ["--firmware", try Firmware.native()]
            try refuse(["flash"] + monitored + image, "goes on running", "provision run")
            try refuse(["run", "--log", log] + monitored + image, "prints the log itself")
            try refuse(["enroll"] + monitored, "nothing is flashed")
            let missing = try desk.run(["enroll", "--log", log + "-2"] + native)
            missing.expectError("channel-unavailable", status: 5, "log-2")
            #expect(try desk.provision.keys().isEmpty)
        }
    }
}
