import BadLine
import Foundation
import Testing

/// The emulated board dies in the middle of being flashed, while another run wants it: nothing stays held.
@Suite struct LostBoardTests {
    /// Bytes of the conversation with the probe: the image has 42,592.
    @Test(arguments: [3_000, 30_000])
    func onANamedProbe(limit: Int) throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            let server = String(try #require(board.probe).dropFirst("unix:".count))
            let path = provision.home.path + "/probe"
            let line = try CutLine.probe(at: path, to: server, after: limit, isHeld: true)
            let platform = ["--platform", "microbit-qemu", "--firmware", image]
            let arguments = ["run", "--detach", "--probe", "unix:" + path] + platform
            let first = try BackgroundRun(provision, arguments + ["--port", board.port])
            try #require(line.reachesLimit(), "\(first.errorOutput)")
            // It would give the probe up after five seconds.
            first.suspend()
            #expect(!first.errorOutput.contains("flash"), "\(first.errorOutput)")
            // One refuses; another, with a state directory of its own, waits for the probe's answer.
            try provision.run(Executable.url, arguments + ["--port", "/dev/null"])
                .expectError(
                    "device-busy", status: 5, path, "provision (process \(first.processID))")
            try Executable.withHome { stranger in
                let waiting = try BackgroundRun(
                    stranger,
                    ["flash", "-v", "--port", "/dev/null", "--probe", "unix:" + server] + platform)
                board.killEmulator()
                line.end()
                first.resume()
                #expect(waiting.wait() == 5, "\(waiting.errorOutput)")
                #expect(
                    waiting.errorOutput.contains("error[probe-unavailable]"),
                    "\(waiting.errorOutput)")
            }
            #expect(first.wait() == 5, "\(first.errorOutput)")
            #expect(
                first.errorOutput.contains("error[probe-unavailable]"), "\(first.errorOutput)")
            #expect(try provision.keys().isEmpty)

            // The same names, which nobody holds any more, of the board that is switched on again.
            let again = try EmulatedBoard(provision, "microbit-qemu")
            defer { _ = again.interrupt() }
            let next = try provision.run(
                Executable.url,
                ["run", "--detach", "--port", again.port, "--probe", "unix:" + server] + platform)
            #expect(next.status == 0, "\(next.standardError)")
            #expect(try provision.keys()["active"]?.count == 1)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// What an emulated board wrote is not synchronised with the disk: where the computer lost its power, the files
    /// may be there without what was in them. Then it is a new board.
    @Test func theComputerLostItsPower() throws {
        try Executable.withHome { provision in
            let before = try provision.provisionNative("--instance", "board")
            let board = provision.home.appending(path: "emulated/board/device")
            let id = board.appending(path: "device-id")
            try #require(Data(contentsOf: id).count == 8)
            for file in try FileManager.default.contentsOfDirectory(atPath: board.path) {
                let path = board.appending(path: file)
                if file.hasSuffix(".psa_its") {
                    try FileManager.default.removeItem(at: path)
                } else {
                    try Data().write(to: path)
                }
            }
            let after = try provision.provisionNative("--instance", "board")
            #expect(try Data(contentsOf: id).count == 8)
            #expect(after["device"] as? String != before["device"] as? String)
            #expect(try provision.keys()["active"]?.count == 2)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// The emulator is the run's own, and dies at some moment between its start and the end of flashing.
    @Test func onTheRunsOwnBoard() throws {
        let image = try Firmware.microbit()
        var random = SeededGenerator(seed: KillTests.seed)
        try Executable.withHome { provision in
            let arguments = [
                "run", "--platform", "microbit-qemu", "--firmware", image, "--detach",
            ]
            var kills = 0
            for round in 0..<8 where kills < 4 {
                let first = try BackgroundRun(provision, arguments + ["--erase"])
                let emulator = try #require(first.emulator(), "\(first.errorOutput)")
                usleep(.random(in: 0...100_000, using: &random))
                first.suspend()
                guard !first.errorOutput.contains("hello") else {
                    // Too late: flashed long ago.
                    first.resume()
                    #expect(first.wait() == 0, "\(first.errorOutput)")
                    continue
                }
                kills += 1
                try provision.run(Executable.url, arguments)
                    .expectError(
                        "device-busy", status: 5, "microbit-qemu-1",
                        "provision (process \(first.processID))")
                kill(emulator, SIGKILL)
                first.resume()
                #expect(first.wait() == 5, "round \(round): \(first.errorOutput)")
                #expect(first.errorOutput.contains("signal 9"), "\(first.errorOutput)")
                let next = try provision.run(Executable.url, arguments)
                #expect(next.status == 0, "round \(round): \(next.standardError)")
                #expect(try provision.keys()["active"]?.count == 1)
                #expect(try provision.keys()["pending"] == nil)
                #expect(try provision("registry", "verify").status == 0)
            }
            #expect(kills > 0, "each run was flashed before it could be stopped")
        }
    }
}

extension BackgroundRun {
    /// The QEMU that it starts. Nil: it ended before, or did not start one in a minute.
    fileprivate func emulator() -> Int32? {
        for _ in 0..<6_000 {
            let children = (try? LiveProcesses.children(of: processID)) ?? []
            let emulator = children.first { child in
                let name = try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)
                return name?.hasPrefix("qemu-system") == true
            }
            if let emulator { return emulator }
            usleep(10_000)
        }
        return nil
    }
}
