import Foundation
import Testing

@Suite struct InterruptionTests {
    /// The console begins with what the device said while it was provisioned.
    @Test func leavingTheConsoleEndsTheRunWell() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            // What it says before the port is opened is nobody's: on a busy machine, one of some runs is fast enough. A
            // sanitizer never is.
            let text = Executable.isSanitized ? "up " : "boot embedded-swift/native"
            var isShown = false
            for _ in 0..<5 where !isShown {
                let run = try BackgroundRun(
                    provision, ["run", "--platform", "native", "--firmware", image])
                #expect(run.says("attached to"), "\(run.errorOutput)")
                isShown = run.prints(text, within: Executable.isSanitized ? 60 : 5)
                #expect(run.interrupt() == 0)
                #expect(
                    !run.output.unicodeScalars.contains {
                        $0.value < 32 && $0 != "\n" && $0 != "\r"
                    })
            }
            #expect(isShown)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// A device that is waited for: nothing is registered, and the next run begins anew.
    @Test func interruptedWhileWaitingIsStatus130() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "microbit-qemu")
            let run = try BackgroundRun(
                provision, ["enroll", "--platform", "microbit-qemu", "--port", board.port, "-v"])
            // Nothing was flashed, so nothing answers.
            #expect(run.says("no answer in"), "\(run.errorOutput)")
            #expect(run.interrupt() == 130)
            #expect(run.errorOutput.contains("provision: error[interrupted]"))
            #expect(run.errorOutput.contains("provision: hint: run the same command again"))
            #expect(board.interrupt() == 0)
            let keys = try provision("keys", "--json").json()["keys"] as? [Any]
            #expect(keys?.isEmpty == true)
            let next = try provision(
                "run", "--platform", "native", "--firmware", image, "--detach")
            #expect(next.status == 0)
        }
    }

    /// The terminal is raw then; both keys and the signals leave, and leaving is a good end.
    @Test(arguments: ["\u{3}", "\u{1d}"])
    func leavingTheConsoleByKeyRestoresTheTerminal(_ key: String) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let leftovers = Leftovers(of: provision)
            let run = try TerminalRun(
                provision, Executable.url.path,
                ["run", "--platform", "native", "--firmware", image])
            defer { run.close() }
            #expect(run.shows("attached to"), "\(run.output)")
            #expect(run.takesTerminal)
            run.type(key)
            #expect(run.status() == 0, "\(run.output)")
            #expect(run.isTerminalRestored)
            #expect(leftovers.processes() == [])
        }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func leavingTheConsoleBySignalRestoresTheTerminal(signal: Int32) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let run = try TerminalRun(
                provision, Executable.url.path,
                ["run", "--platform", "native", "--firmware", image])
            defer { run.close() }
            #expect(run.takesTerminal, "\(run.output)")
            let process = try #require(run.process(named: "provision"))
            kill(process, signal)
            #expect(run.status() == 0, "\(run.output)")
            #expect(run.isTerminalRestored)
        }
    }

    /// Closing the terminal's window: nobody is left to press Ctrl-C.
    @Test func aTerminalThatClosesEndsTheRun() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let leftovers = Leftovers(of: provision)
            let run = try TerminalRun(
                provision, Executable.url.path,
                ["run", "--platform", "native", "--firmware", image])
            #expect(run.shows("attached to"), "\(run.output)")
            run.close()
            #expect(leftovers.processes() == [])
            #expect(try provision("registry", "verify").status == 0)
        }
    }
}
