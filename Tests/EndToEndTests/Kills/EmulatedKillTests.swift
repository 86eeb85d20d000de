import BadLine
import Foundation
import Testing

/// Kill -9 at random moments of runs on boards in QEMU, whose memory this machine keeps, while their
/// processor writes it.
@Suite struct EmulatedKillTests {
    /// Victims of each kind to kill on each board: with `PROVISION_TEST_THOROUGH=1` some five minutes on two
    /// cores.
    private static let killCount =
        ProcessInfo.processInfo.environment["PROVISION_TEST_THOROUGH"] == "1" ? 50 : 10

    /// The runs go round the steps, so that each of them meets its kills; first the run itself is killed in
    /// each, then its emulator, until enough of both have died.
    @Test(arguments: [
        "microbit-qemu", "mps2-an386-qemu", "microbit-qemu-rtt", "mps2-an386-qemu-rtt",
    ])
    func atRandomMoments(platform: String) throws {
        let image = try platform.hasPrefix("microbit") ? Firmware.microbit() : Firmware.mps2()
        var random = SeededGenerator(seed: KillTests.seed)
        try Executable.withHome { provision in
            var kills: [KillableRun.Victim: Int] = [:]
            var lastSteps: Set<String> = []
            for round in 0..<6 * Self.killCount {
                let missing = KillableRun.Victim.allCases.filter {
                    kills[$0, default: 0] < Self.killCount
                }
                let turn = round / (KillTests.steps.count + 1)
                guard !missing.isEmpty else { break }
                let victim = missing[turn % missing.count]
                let stepCount = round % (KillTests.steps.count + 1)
                // A device's first run, or one that makes a new key in place of a registered one.
                let isNew = Bool.random(using: &random)
                let bench = try KillBench(
                    provision, platform, image, instance: isNew ? "board-\(round)" : "board")
                let run = try bench.start(isNew ? [] : ["--erase"])
                let step = KillTests.steps.prefix(stepCount).last
                if let step { _ = run.says(step) }
                // Up to what a step takes, or the start; mostly little, as most steps do.
                let longest = step == nil ? 400_000.0 : 150_000
                usleep(UInt32(longest * pow(.random(in: 0...1, using: &random), 3)))
                let status = try run.kill(victim)
                let comment: Comment =
                    "seed \(KillTests.seed), round \(round): \(victim) killed after \(step ?? "start")"
                #expect(status != nil, "\(comment): the run hangs")
                // The others had ended before, or had no emulator yet.
                guard run.hasKilled, status != 0 else {
                    #expect(status == 0, "\(comment): \(run.errorOutput)")
                    continue
                }
                kills[victim, default: 0] += 1
                lastSteps.insert(run.steps.last ?? "start")
                try bench.expectNextRun(after: run, comment)
                try bench.expectClean()
            }
            for victim in KillableRun.Victim.allCases {
                #expect(kills[victim] == Self.killCount, "\(victim.rawValue): \(kills)")
            }
            #expect(lastSteps.count >= 6, "\(lastSteps)")
        }
    }
}
