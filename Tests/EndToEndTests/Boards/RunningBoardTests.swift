import Foundation
import Testing

/// Boards that somebody else started: their port and probe are named on the command line.
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
