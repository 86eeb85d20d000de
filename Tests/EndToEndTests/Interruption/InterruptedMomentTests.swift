import BadLine
import Foundation
import Testing

/// Ctrl-C at any moment: whatever was going on, nothing is left of it, and the next run goes on.
@Suite struct InterruptedMomentTests {
    /// Twice as far as a run without console takes, on a machine that has nothing else to do.
    private static let moments = [("native", 8, 800), ("microbit-qemu", 6, 2000)]

    @Test(arguments: moments)
    func bySignal(platform: String, count: Int, milliseconds: Int) throws {
        try atMoments(platform, count, milliseconds) { provision, arguments, delay in
            let run = try BackgroundRun(provision, arguments)
            usleep(delay)
            let status = run.interrupt()
            #expect(status == 130 || status == 0, "\(run.errorOutput)")
            return status
        }
    }

    /// By the key, which goes to the whole foreground; the shell looks at its terminal afterwards.
    @Test(arguments: moments)
    func byKey(platform: String, count: Int, milliseconds: Int) throws {
        try atMoments(platform, count, milliseconds) { provision, arguments, delay in
            let run = try TerminalRun(provision, Executable.url.path, arguments)
            defer { run.close() }
            usleep(delay)
            run.pressControlC()
            let status = run.status()
            #expect(status == 130 || status == 0, "\(run.output)")
            #expect(run.isTerminalRestored, "\(run.output)")
            return status
        }
    }

    /// Between any two steps that need the device, which takes its time: no run is over before its end.
    @Test(arguments: KillTests.steps.drop { $0 != "hello" })
    func afterEachStep(step: String) throws {
        try Executable.withHome { provision in
            let desk = try HostileDesk(provision, isPatient: true)
            let victim = try Victim()
            let line = try HostileLine { line in
                let device = try victim.device()
                device.reaction = { _ in
                    usleep(100_000)
                    return .obey
                }
                try line.obey(device)
            }
            defer { line.close() }
            let before = line.settings
            let leftovers = Leftovers(of: provision)
            let run = try KillableRun(provision, desk.arguments(line.port))
            #expect(run.says(step), "\(run.errorOutput)")
            kill(run.processID, SIGINT)
            let status = run.end()
            #expect(status == 130 || (step == "confirm" && status == 0), "\(run.errorOutput)")
            #expect(leftovers.processes() == [])
            #expect(line.settings == before)
            #expect(try provision.isRecordSound())
            let next = try provision.run(Executable.url, desk.arguments(line.port))
            #expect(next.status == 0, "\(next.standardError)")
            #expect(try desk.keyStates() == ["active"])
        }
    }

    /// The board has just started.
    @Test func afterFlashing() throws {
        try Executable.withHome { provision in
            let bench = try KillBench(provision, "native", Firmware.native())
            let run = try bench.start([])
            #expect(run.says("flash"), "\(run.errorOutput)")
            kill(run.processID, SIGINT)
            #expect(run.end() == 130, "\(run.errorOutput)")
            try bench.expectNextRun(after: run, "interrupted after flash")
            try bench.expectClean()
        }
    }

    private func atMoments(
        _ platform: String, _ count: Int, _ milliseconds: Int,
        interrupt: (Executable, [String], UInt32) throws -> Int32?
    ) throws {
        let image = try platform == "native" ? Firmware.native() : Firmware.microbit()
        var generator = SeededGenerator(seed: UInt64(milliseconds))
        try Executable.withHome { provision in
            let arguments = ["run", "--platform", platform, "--firmware", image, "--detach"]
            let leftovers = Leftovers(of: provision)
            var interruptions = 0
            for _ in 0..<count {
                let delay = UInt32.random(in: 0..<UInt32(milliseconds) * 1000, using: &generator)
                if try interrupt(provision, arguments, delay) == 130 { interruptions += 1 }
                #expect(leftovers.processes() == [], "after \(delay) µs")
                #expect(try provision.isRecordSound(), "after \(delay) µs")
            }
            #expect(interruptions > 0, "each run was over before its interruption")
            let next = try provision.run(Executable.url, arguments)
            #expect(next.status == 0, "\(next.standardError)")
            let keys = try provision("keys", "--json").json()["keys"] as? [[String: Any]]
            #expect(keys?.compactMap { $0["state"] as? String } == ["active"])
        }
    }
}
