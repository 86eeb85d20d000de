import Channels
import Foundation
import PlatformAdapter
import Platforms
import Provisioning
import ProvisioningTesting
import Synchronization

/// All checks that need no hardware.
struct Checks {
    let subject: CheckSubject
    let session: Session

    func run() throws(ProvisioningError) -> [CheckResult] {
        var results: [CheckResult] = []
        var platform = subject.platform
        if let program = subject.program, platform == nil {
            results.append(
                CheckResult.of("file", "the adapter describes its platform") {
                    let described = try AdapterPlatform.ask(program, session.interruption)
                    platform = described
                    return described.origin
                })
        }
        if let platform { results += PlatformChecks(platform: platform).facts }
        results += run(try works(platform), platform)
        try session.interruption.check()
        return results
    }

    private enum Work: Sendable {
        case line(PlatformChecks.LineCheck)
        case adapter(AdapterCheck)
        case channel(ChannelCheck)
        /// Nothing is to be done.
        case done(CheckResult)

        static func skipped(_ check: AdapterCheck, _ reason: String) -> Work {
            .done(.skipped(check.group, check.rawValue, reason))
        }
    }

    private func works(_ platform: Platform?) throws(ProvisioningError) -> [Work] {
        let lines = platform == nil ? [] : PlatformChecks.LineCheck.allCases.map(Work.line)
        guard let program = subject.program else { return lines }
        guard let abilities = abilities(of: program) else {
            // Each would wait as long as the first.
            return lines + [.adapter(.saysHello)]
                + AdapterCheck.allCases.dropFirst().map { .skipped($0, "it does not say hello") }
        }
        let board = AdapterCheck.allCases.map { check in
            if let ability = check.ability, !abilities.contains(ability) {
                return Work.skipped(check, "it can't \(ability.rawValue)")
            }
            return .adapter(check)
        }
        return lines + board + ChannelCheck.allCases.map(Work.channel)
    }

    /// Checks that are made side by side. Each has a device, or an adapter and a board, of its own, and
    /// waits most of the time.
    private static let workerCount = 10

    private func run(_ works: [Work], _ platform: Platform?) -> [CheckResult] {
        let results = Mutex([CheckResult?](repeating: nil, count: works.count))
        let next = Atomic(0)
        let workers = min(Self.workerCount, works.count)
        let work: @Sendable () -> Void = { [subject, interruption = session.interruption] in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < works.count else { return }
                let result = Self.result(of: works[index], subject, platform, interruption)
                results.withLock { $0[index] = result }
            }
        }
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<workers {
            Thread.detachNewThread {
                work()
                done.signal()
            }
        }
        for _ in 0..<workers { done.wait() }
        return results.withLock { $0 }.compactMap { $0 }
    }

    private static func result(
        of work: Work, _ subject: CheckSubject, _ platform: Platform?, _ interruption: Interruption
    ) -> CheckResult? {
        switch work {
        case .done(let result): return result
        case .line(let check): return platform.map { PlatformChecks(platform: $0).run(check) }
        case .adapter(let check):
            return subject.program.map { check.run($0, platform, interruption) }
        case .channel(let check):
            return subject.program.map {
                AdapterChannelCheck(program: $0, interruption: interruption).run(check)
            }
        }
    }

    /// With a simulated board: what an adapter can do may depend on which board it has. Nil: it does not
    /// say hello.
    private func abilities(of program: AdapterProgram) -> Set<AdapterAbility>? {
        guard let bench = try? AdapterBench(program, session.interruption) else { return nil }
        defer { bench.end() }
        return try? bench.greeted().abilities
    }
}
