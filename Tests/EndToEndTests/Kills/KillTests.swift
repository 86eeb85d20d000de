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
    static let stepsWithRegisteredKey: Set = [
        "register", "issue", "install", "confirm", "attached",
    ]
    /// Of the random moments.
    static let seed =
        ProcessInfo.processInfo.environment["PROVISION_TEST_SEED"].flatMap { UInt64($0) } ?? 2026

    /// A run that comes behind its last step waits there for somebody who reads its result, so that none ends
    /// before it is killed.
    @Test(arguments: ["native", "microbit-qemu", "microbit-qemu-rtt"], KillableRun.Victim.allCases)
    func afterEachStep(platform: String, victim: KillableRun.Victim) throws {
        let image = try platform == "native" ? Firmware.native() : Firmware.microbit()
        try Executable.withHome { provision in
            let bench = try KillBench(provision, platform, image)
            try bench.expectNextRun(after: nil, "first run")
            for step in Self.steps where platform != "native" || step != "identify" {
                let run = try bench.start(["--erase"], output: FullPipe())
                try expectToContinue(run, victim, killedAfter: step, bench)
            }
            try bench.expectClean()
        }
    }

    @Test(arguments: ["native", "microbit-qemu", "microbit-qemu-rtt"], KillableRun.Victim.allCases)
    func whileAttached(platform: String, victim: KillableRun.Victim) throws {
        let image = try platform == "native" ? Firmware.native() : Firmware.microbit()
        try Executable.withHome { provision in
            let bench = try KillBench(provision, platform, image)
            for options in [[], ["--erase"]] {
                let run = try bench.startAttached(options)
                try expectToContinue(run, victim, killedAfter: "attached", bench)
            }
            try bench.expectClean()
        }
    }

    /// Of the firmware package, whose build copies here what others compile.
    @Test func afterTheBuild() throws {
        let image = try Firmware.native()
        try Executable.withHome { scratch in
            let shipped = Executable.packageRoot.appending(path: "platforms/native.toml")
            let text = try String(contentsOf: shipped, encoding: .utf8)
            let build = """
                [build]
                command = ["/bin/sh", "-c", 'mkdir -p "$1" && cp "$0" "$1/image"', "\(image)", "{scratch}"]
                image = "{scratch}/image"

                """
            let rest = try #require(text.range(of: "[flash]"))
            let name = "name = \"built\"\ndescription = \"a copy\"\nboard = \"native\"\n"
            try Data((name + build + text[rest.lowerBound...]).utf8)
                .write(to: scratch.home.appending(path: "built.toml"))
            try Executable.withHome { provision in
                let bench = try KillBench(
                    provision,
                    [
                        "--platform", "built", "--platforms", scratch.home.path, "--package-path",
                        scratch.home.path,
                    ])
                for options in [[], ["--erase"]] {
                    let run = try bench.start(options, output: FullPipe())
                    try expectToContinue(run, .run, killedAfter: "build", bench)
                }
                try bench.expectClean()
            }
        }
    }

    private func expectToContinue(
        _ run: KillableRun, _ victim: KillableRun.Victim, killedAfter step: String,
        _ bench: KillBench
    ) throws {
        #expect(run.says(step), "\(run.errorOutput)")
        let status = try run.kill(victim)
        #expect(status != nil, "after \(step), the run hangs")
        #expect(run.hasKilled, "after \(step), there is no \(victim.rawValue)")
        try bench.expectNextRun(after: run, "\(victim.rawValue) killed after \(step)")
    }

    private enum Kind: CaseIterable {
        case newUser, newDevice, erased
    }

    /// 200 moments for each victim, on four desks: in the very first run of a user, first runs of a device,
    /// and runs that erase. A run that ends before its kill is no moment.
    @Test(arguments: Executable.sample(Array(0..<4)), KillableRun.Victim.allCases)
    func atRandomMoments(desk: Int, victim: KillableRun.Victim) throws {
        let image = try Firmware.native()
        var random = SeededGenerator(
            seed: Self.seed &+ UInt64(desk) &+ (victim == .run ? 0 : 4))
        try Executable.withHome { provision in
            var kills = 0
            var lastSteps: Set<String> = []
            for round in 0..<200 where kills < 50 {
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
                let status = try run.kill(victim)
                let comment: Comment = "seed \(Self.seed), round \(round)"
                guard run.hasKilled, status != 0 else {
                    #expect(status == 0, "\(comment): \(run.errorOutput)")
                    continue
                }
                kills += 1
                lastSteps.insert(run.steps.last ?? "start")
                try bench.expectNextRun(after: run, comment)
                if kind == .newUser || kills % 10 == 0 { try bench.expectClean() }
            }
            #expect(kills == 50, "\(kills) \(victim.rawValue)s were killed before they ended")
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
