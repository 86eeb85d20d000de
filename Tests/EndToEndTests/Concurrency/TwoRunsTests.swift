import Foundation
import Testing

/// Two runs at once: on two boards both go on, on one the first wins, and the second says who holds it.
@Suite struct TwoRunsTests {
    @Test func onTwoBoardsBothGoOn() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let runs = try (1...4).map { number in
                try BackgroundRun(
                    provision,
                    [
                        "run", "--platform", "native", "--firmware", image, "--instance",
                        "board-\(number)",
                    ])
            }
            for run in runs { #expect(run.says("attached to"), "\(run.errorOutput)") }
            for run in runs { #expect(run.interrupt() == 0, "\(run.errorOutput)") }
            #expect(try provision.keys()["active"]?.count == 4)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test func onOneEmulatedBoardTheFirstWins() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let first = try BackgroundRun(
                provision, ["run", "--platform", "native", "--firmware", image])
            #expect(first.says("attached to"), "\(first.errorOutput)")
            let second = try provision.run(Executable.url, try Executable.nativeRun("--erase"))
            second.expectError(
                "device-busy", status: 5, "native-1", "provision (process \(first.processID))")
            #expect(first.interrupt() == 0)
            #expect(try provision.keys()["active"]?.count == 1)
            try provision.expectToContinue()
        }
    }

    /// By the same state directory, before the board is flashed; by another one, too, for the tty knows.
    @Test func onOnePortTheFirstWins() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let first = try BackgroundRun(
                provision, ["enroll", "--platform", "native", "--port", board.port, "--attach"])
            #expect(first.says("attached to"), "\(first.errorOutput)")
            let arguments = ["enroll", "--platform", "native", "--port", board.port]
            let holder = "provision (process \(first.processID))"
            try provision.run(Executable.url, arguments)
                .expectError("channel-busy", status: 5, board.port, holder)
            try Executable.withHome { stranger in
                try stranger.run(Executable.url, arguments)
                    .expectError("channel-busy", status: 5, board.port, holder)
            }
            #expect(first.interrupt() == 0)
            let next = try provision.run(Executable.url, arguments)
            #expect(next.status == 0, "\(next.standardError)")
        }
    }

    /// The first still flashes, with a tool that takes its time and no lock.
    @Test func whileTheFirstFlashesTheSecondDoesNot() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let flashed = provision.home.appending(path: "flashed").path
            let go = provision.home.appending(path: "go").path
            let mine = try provision.platform(
                "mine",
                """
                [flash]
                method = "command"
                command = ["/bin/sh", "-c", 'echo once >> "$0"; while [ ! -e "$1" ]; do sleep 0.05; done', "\(flashed)", "\(go)", "{image}"]

                [channel]
                kind = "uart"
                """)
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let arguments = ["run", "--firmware", image, "--port", board.port] + mine
            let first = try BackgroundRun(provision, arguments)
            try #require(first.waits(for: flashed), "\(first.errorOutput)")
            try provision.run(Executable.url, arguments)
                .expectError(
                    "channel-busy", status: 5, board.port, "provision (process \(first.processID))")
            try Data().write(to: URL(filePath: go))
            #expect(first.says("attached to"), "\(first.errorOutput)")
            #expect(first.interrupt() == 0)
            #expect(try String(contentsOfFile: flashed, encoding: .utf8) == "once\n")
        }
    }

    /// A GDB server takes one debugger, and lets others wait without a word.
    @Test func onOneProbeTheFirstWins() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            defer { _ = board.interrupt() }
            let probe = try #require(board.probe)
            let arguments = [
                "run", "--platform", "microbit-qemu", "--firmware", image, "--port", board.port,
                "--probe", probe,
            ]
            let first = try BackgroundRun(provision, arguments)
            #expect(first.says("attached to"), "\(first.errorOutput)")
            // Another port, so that the probe is what both want.
            let flash = [
                "flash", "--platform", "microbit-qemu", "--firmware", image, "--probe", probe,
                "--port", "/dev/null",
            ]
            try provision.run(Executable.url, flash)
                .expectError(
                    "device-busy", status: 5, probe, "provision (process \(first.processID))")
            try Executable.withHome { stranger in
                try stranger.run(Executable.url, flash, within: 30)
                    .expectError("probe-unavailable", status: 5, "did not answer")
            }
            #expect(first.interrupt() == 0)
            let next = try provision.run(Executable.url, arguments + ["--detach"])
            #expect(next.status == 0, "\(next.standardError)")
        }
    }
}
