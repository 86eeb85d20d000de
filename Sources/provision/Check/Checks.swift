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
        if let platform { results += PlatformChecks(platform: platform).run() }
        if let program = subject.program { results += run(program, platform) }
        try session.interruption.check()
        return results
    }

    private enum Work: Sendable {
        case adapter(AdapterCheck)
        case channel(ChannelCheck)

        var place: (group: String, name: String) {
            switch self {
            case .adapter(let check): (check.group, check.rawValue)
            case .channel(let check): ("channel", check.rawValue)
            }
        }
    }

    /// Each check has an adapter of its own, so that some can be made side by side.
    private func run(_ program: AdapterProgram, _ platform: Platform?) -> [CheckResult] {
        let interruption = session.interruption
        let works =
            AdapterCheck.allCases.map(Work.adapter) + ChannelCheck.allCases.map(Work.channel)
        guard let abilities = abilities(of: program) else {
            // Each would wait as long as the first.
            let hello = AdapterCheck.saysHello.run(program, platform, interruption)
            return [hello]
                + works.dropFirst().map {
                    .skipped($0.place.group, $0.place.name, "it does not say hello")
                }
        }
        let results = Mutex([CheckResult?](repeating: nil, count: works.count))
        DispatchQueue.concurrentPerform(iterations: works.count) { index in
            let result: CheckResult
            switch works[index] {
            case .adapter(let check):
                if let ability = check.ability, !abilities.contains(ability) {
                    let reason = "it can't \(ability.rawValue)"
                    result = .skipped(check.group, check.rawValue, reason)
                } else {
                    result = check.run(program, platform, interruption)
                }
            case .channel(let check):
                result = AdapterChannelCheck(program: program, interruption: interruption).run(
                    check)
            }
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0 }.compactMap { $0 }
    }

    /// With a simulated board: what an adapter can do may depend on which board it has. Nil: it does not
    /// say hello.
    private func abilities(of program: AdapterProgram) -> Set<AdapterAbility>? {
        guard let bench = try? AdapterBench(program, session.interruption) else { return nil }
        defer { bench.end() }
        return try? bench.greeted().abilities
    }
}
