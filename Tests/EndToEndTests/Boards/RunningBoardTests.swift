import Foundation
import Testing

/// Boards that somebody else started.
@Suite struct RunningBoardTests {
    @Test func enrollsADeviceThatRunsItsFirmwareAlready() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            let result = try provision(
                "enroll", "--platform", "native", "--port", board.port, "--json")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["imageDigest"] == nil)
            #expect(board.interrupt() == 0)
            #expect(board.isEmulatorGone)
        }
    }

    /// It is found by the state directory that both share: nobody has to copy its port.
    @Test func findsTheBoardThatRuns() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(
                provision, "native", "--firmware", image, "--instance", "kitchen")
            defer { _ = board.interrupt() }
            for options in [
                ["--platform", "native"], ["--platform", "native", "--instance", "kitchen"],
            ] {
                let result = try provision.run(Executable.url, ["enroll", "--json"] + options)
                #expect(result.status == 0, "\(result.standardError)")
                #expect(result.standardError.contains(board.port))
            }
            for name in ["native", "native:kitchen"] {
                let result = try provision("enroll", "--board", name)
                #expect(result.status == 0, "\(result.standardError)")
            }
            #expect(try provision.keys()["active"]?.count == 1)
            let other = try provision("enroll", "--platform", "native", "--instance", "cellar")
            other.expectError("channel-unavailable", status: 5, "called cellar")
            #expect(other.hint?.contains("emulate native --instance cellar") == true)
        }
    }

    @Test func ofSeveralThatRunNoneIsTakenSilently() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let boards = try ["native-1", "kitchen"].map { name in
                try EmulatedBoard(provision, "native", "--firmware", image, "--instance", name)
            }
            defer { for board in boards { _ = board.interrupt() } }
            let refused = try provision("enroll", "--platform", "native")
            refused.expectError(
                "board-ambiguous", status: 5, boards[0].port, boards[1].port, "kitchen")
            #expect(refused.hint?.contains("--instance kitchen or --instance native-1") == true)
            #expect(try provision.keys().isEmpty)
            let both = try provision("enroll", "--all", "--platform", "native", "--instances", "1")
            #expect(both.status == 0, "\(both.standardError)")
            #expect(try provision.keys()["active"]?.count == 1)
        }
    }

    /// What somebody else's log says is not of the board that runs.
    @Test func aLogFromElsewhereNeedsNoBoardThatRuns() throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            let boards = try ["native-1", "kitchen"].map { name in
                try EmulatedBoard(
                    desk.provision, "native", "--firmware", image, "--instance", name)
            }
            defer { for board in boards { _ = board.interrupt() } }
            let log = try desk.file(
                "log", ArielLog.provisioned(board: "native", id: [4, 5], x: ArielLog.x))
            let record = try desk.json(["enroll", "--platform", "native", "--log", log])
            #expect(record["board"] as? String == "native", "\(record)")
        }
    }

    /// With its probe. A board that another process runs is not started again; another one is.
    @Test func findsTheBoardThatRunsWithItsProbe() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            defer { _ = board.interrupt() }
            let flash = try provision(
                "flash", "--platform", "microbit-qemu", "--firmware", image, "--probe",
                try #require(board.probe))
            #expect(flash.status == 0, "\(flash.standardError)")
            let result = try provision("enroll", "--platform", "microbit-qemu", "--json")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["isIDReadByProbe"] as? Bool == true)
            let folder = provision.home.appending(path: "emulated").path
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        }
    }

    @Test func flashesThroughTheProbeThatIsNamed() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            let probe = try #require(board.probe)
            func run(_ more: String...) throws -> Executable.Result {
                try provision.run(
                    Executable.url,
                    [
                        "run", "--platform", "microbit-qemu", "--firmware", image, "--port",
                        board.port, "--probe", probe, "--detach", "--json",
                    ] + more)
            }
            let first = try run()
            #expect(first.status == 0, "\(first.standardError)")
            #expect(try first.json()["isIDReadByProbe"] as? Bool == true)
            let wrong = try run("--device", "00112233")
            #expect(wrong.status == 7)
            #expect(wrong.standardError.contains("error[id-mismatch]"))
            #expect(board.interrupt() == 0)
            #expect(board.isEmulatorGone)
        }
    }

    /// The board that serves the probe is meant, not a new one; only its own process knows its port.
    @Test func aProbeWithoutAPort() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            defer { _ = board.interrupt() }
            let probe = try #require(board.probe)
            let platform = ["--platform", "microbit-qemu"]
            let flash = try provision.run(
                Executable.url,
                ["flash", "--firmware", image, "--probe", probe, "--json"] + platform)
            #expect(flash.status == 0, "\(flash.standardError)")
            #expect(try flash.json()["isVerified"] as? Bool == true)
            // It was this board's memory.
            let enroll = ["enroll", "--json"] + platform
            let first = try provision.run(Executable.url, enroll + ["--port", board.port])
            #expect(first.status == 0, "\(first.standardError)")
            let keys = try provision.keys()
            for command in [enroll, ["run", "--erase", "--firmware", image] + platform] {
                let refused = try provision.run(Executable.url, command + ["--probe", probe])
                refused.expectError("usage", status: 2, probe, "serial port")
                #expect(refused.hint?.contains("--port") == true)
            }
            #expect(try provision.keys() == keys)
            let again = try provision.run(Executable.url, enroll + ["--port", board.port])
            #expect(
                try again.json()["thumbprint"] as? String == first.json()["thumbprint"] as? String)
            // Two processes, and one board.
            let boards = provision.home.appending(path: "emulated").path
            #expect(try FileManager.default.contentsOfDirectory(atPath: boards).count == 1)
        }
    }

    /// A new key, and nothing to show that it is the same device: only the user's word counts.
    @Test func aNewKeyNeedsAReason() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let run = try provision(
                "run", "--platform", "native", "--firmware", image, "--detach", "--json")
            let key = try #require(try run.json()["thumbprint"] as? String)
            let state = provision.home.appending(path: "emulated/native-1/device")
            for file in try FileManager.default.contentsOfDirectory(atPath: state.path)
            where file != "device-id" {
                try FileManager.default.removeItem(at: state.appending(path: file))
            }
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let refused = try provision("enroll", "--platform", "native", "--port", board.port)
            #expect(refused.status == 8)
            #expect(refused.standardError.contains("error[replacement-unproven]"))
            let keys = try provision("keys", "--json").json()["keys"] as? [[String: Any]]
            #expect(keys?.compactMap { $0["thumbprint"] as? String } == [key])

            let vouched = try provision(
                "enroll", "--platform", "native", "--port", board.port, "--replace-key", "--json")
            #expect(vouched.status == 0, "\(vouched.standardError)")
            #expect(try vouched.json()["superseded"] as? [String] == [key])
        }
    }
}

/// A board that isn't there any more.
@Suite struct GoneBoardTests {
    @Test func whyTheEmulatorEndedIsSaid() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--platform", "native", "--firmware", "/bin/false", "--detach")
            #expect(result.status == 5)
            #expect(result.standardError.contains("error[emulator-failed]"))
        }
    }
}
