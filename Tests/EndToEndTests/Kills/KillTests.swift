import BadLine
import Foundation
import Testing

/// Kill -9 of the run, or of its emulator, at any moment: the next run continues.
@Suite struct KillTests {
    static let steps = [
        "flash", "identify", "hello", "key", "evidence", "appraise", "register", "issue", "install",
        "confirm",
    ]
    /// From the one on, the registry knows the device's new key: the device may not lose it.
    static let stepsWithRegisteredKey: Set = ["register", "issue", "install", "confirm"]
    /// Of the random moments.
    static let seed =
        ProcessInfo.processInfo.environment["PROVISION_TEST_SEED"].flatMap { UInt64($0) } ?? 2026

    @Test(arguments: ["native", "microbit-qemu", "microbit-qemu-rtt"], KillableRun.Victim.allCases)
    func afterEachStep(platform: String, victim: KillableRun.Victim) throws {
        let image = try platform == "native" ? Firmware.native() : Firmware.microbit()
        try Executable.withHome { provision in
            let bench = try KillBench(provision, platform, image)
            try bench.expectNextRun(after: nil, "first run")
            for step in Self.steps where platform != "native" || step != "identify" {
                let run = try bench.start(["--erase"])
                #expect(run.says(step), "\(run.errorOutput)")
                let status = try run.kill(victim)
                #expect(status != nil, "after \(step), the run hangs")
                try bench.expectNextRun(after: run, "\(victim.rawValue) killed after \(step)")
            }
            try bench.expectClean()
        }
    }

    private enum Kind: CaseIterable {
        case newUser, newDevice, erased
    }

    /// 200 moments on four desks: in the very first run of a user, first runs of a device, and runs that
    /// erase.
    @Test(arguments: Executable.sample(Array(0..<4)))
    func atRandomMoments(desk: Int) throws {
        let image = try Firmware.native()
        var random = SeededGenerator(seed: Self.seed &+ UInt64(desk))
        try Executable.withHome { provision in
            var kills = 0
            var lastSteps: Set<String> = []
            for round in 0..<50 {
                let kind = Kind.allCases.randomElement(using: &random) ?? .erased
                let home = provision.home.appending(
                    path: kind == .newUser ? "user-\(round)" : "user")
                let bench = try KillBench(
                    Executable(home: home), "native", image,
                    instance: kind == .erased ? "erased" : "round-\(round)")
                let run = try bench.start(kind == .erased ? ["--erase"] : [])
                // Most of the time passes before the first step: so the moments follow the steps.
                if let step = Self.steps.prefix(Int.random(in: 0...9, using: &random)).last {
                    _ = run.says(step == "identify" ? "flash" : step)
                    usleep(.random(in: 0...8_000, using: &random))
                } else {
                    usleep(.random(in: 0...150_000, using: &random))
                }
                _ = try run.kill(round % 4 == 3 ? .emulator : .run)
                if run.wasKilled { kills += 1 }
                lastSteps.insert(run.steps.last ?? "start")
                try bench.expectNextRun(after: run, "seed \(Self.seed), round \(round)")
                if kind == .newUser || round % 10 == 9 { try bench.expectClean() }
            }
            #expect(kills >= 20, "only \(kills) of 38 runs were killed before they ended")
            #expect(lastSteps.count >= 4, "\(lastSteps)")
        }
    }

    /// The root key is written then, and the folder is not in place.
    @Test func whileTheAuthorityIsMade() throws {
        try Executable.withHome { scratch in
            let library = try PreloadedLibrary(
                "killing", in: scratch.home,
                """
                #include <signal.h>
                #include <sys/stat.h>

                int fchmod(int file, mode_t mode) { return raise(SIGKILL); }
                """)
            try Executable.withHome { try killWhileTheAuthorityIsMade($0, library) }
        }
    }

    private func killWhileTheAuthorityIsMade(
        _ provision: Executable, _ library: PreloadedLibrary
    ) throws {
        func leftKeys() throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: provision.home.path)
                .filter { $0.hasSuffix(".key") && !$0.hasPrefix("authority/") }
        }
        // Where there is no authority yet, and where there is one.
        for next in [["authority", "create"], try Executable.nativeRun()] {
            let killed = try provision(in: library.preloaded(), ["authority", "create"])
            #expect(killed.status == SIGKILL, "\(killed.standardError)")
            try #require(leftKeys().count == 1)
            let result = try provision.run(Executable.url, next)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try leftKeys().isEmpty)
        }
        try KillBench(provision, "native", Firmware.native()).expectClean()
    }

    /// The memory of this board is RAM, which its processor writes without QEMU's leave.
    @Test func ownerOfTheBoard() throws {
        let image = try Firmware.mps2()
        try Executable.withHome { provision in
            let platform = "mps2-an386-qemu"
            let arguments = [
                "run", "--platform", platform, "--firmware", image, "--detach", "--json",
            ]
            for isFirst in [true, false] {
                let board = try EmulatedBoard(provision, platform)
                let probe = try #require(board.probe)
                let run = try provision.run(
                    Executable.url,
                    arguments + ["--port", board.port, "--probe", probe]
                        + (isFirst ? [] : ["--erase"]))
                board.kill()
                #expect(run.status == 0, "\(run.standardError)")
                for _ in 0..<6000 where !board.isEmulatorGone { usleep(10_000) }
                #expect(board.isEmulatorGone)
                let next = try provision.run(Executable.url, arguments)
                #expect(next.status == 0, "\(next.standardError)")
                #expect(try next.json()["isNewKey"] as? Bool == false)
                #expect(
                    try next.json()["thumbprint"] as? String == run.json()["thumbprint"] as? String)
                #expect(try (next.json()["delivered"] as? [String])?.isEmpty == true)
            }
        }
    }

    /// Power fails in the middle of the device's own write, on its real firmware.
    @Test func inTheMiddleOfFlashWrites() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let bench = try KillBench(provision, "native", image)
            try bench.expectNextRun(after: nil, "first run")
            // A new key: the store is formatted, then everything is written.
            for write in stride(from: 0, to: 450, by: 45) {
                try cut(at: write, ["--erase"], bench)
            }
            // New credentials only, as the ones before would last too long.
            for write in stride(from: 1, to: 300, by: 50) {
                try cut(at: write, ["--validity-days", "\(1000 - write)"], bench)
            }
            try bench.expectClean()
        }
    }

    private func cut(at write: Int, _ arguments: [String], _ bench: KillBench) throws {
        let run = try bench.start(arguments, environment: ["PROVISION_NATIVE_CUT": "\(write)"])
        let status = run.end()
        #expect(status == 5, "write \(write): \(run.errorOutput)")
        #expect(
            run.errorOutput.contains("was ended by signal 9"), "write \(write): \(run.errorOutput)")
        try bench.expectNextRun(after: run, "power lost in write \(write)")
    }
}
