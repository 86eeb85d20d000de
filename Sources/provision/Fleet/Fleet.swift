import Channels
import Foundation
import Provisioning
import Synchronization

/// Several boards side by side. Each has a thread, a session and a channel of its own, and shares with the
/// others nothing but the registry and the authority: nothing of one gets to another.
struct Fleet<Record: Encodable & Sendable>: Sendable {
    /// What is done with one board, on its thread.
    typealias Work = @Sendable (BoardChoice, Session) throws -> Record

    let boards: [FleetBoard]
    /// How many at a time.
    let jobs: Int
    let isVerbose: Bool

    /// Does `work` with every board. One that fails stops no other; an interruption ends all.
    ///
    /// - Returns: what became of each, in the order of the boards.
    func run(_ session: Session, _ work: @escaping Work) -> [FleetResult<Record>] {
        let jobs = jobsWithDescriptors()
        let progress = FleetProgress(boards.map(\.name), isVerbose: isVerbose)
        let results = Mutex<[FleetResult<Record>?]>(Array(repeating: nil, count: boards.count))
        let next = Atomic(0)
        let (state, interruption) = (session.state, session.interruption)
        Self.onThreads(jobs) {
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < boards.count else { return }
                let reporter = ProgressReporter(
                    isVerbose: isVerbose, display: progress.display(for: number))
                let result = outcome(
                    of: boards[number],
                    Session(state: state, interruption: interruption, reporter: reporter), work)
                if case .failure(let error) = result.outcome { reporter.failed(error) }
                results.withLock { $0[number] = result }
            }
        }
        return results.withLock { $0.compactMap(\.self) }
    }

    private func outcome(
        of board: FleetBoard, _ session: Session, _ work: Work
    ) -> FleetResult<Record> {
        let clock = ContinuousClock()
        let start = clock.now
        let outcome: Result<Record, ProvisioningError>
        do {
            // Who waits for a thread has not begun when Ctrl-C comes.
            try session.interruption.check()
            outcome = .success(try work(board.choice, session))
        } catch let error as ProvisioningError {
            outcome = .failure(error)
        } catch {
            outcome = .failure(ProvisioningError(.internalFailure, "\(error)"))
        }
        return FleetResult(board, outcome, seconds: (clock.now - start) / .seconds(1))
    }

    /// Threads of their own: each waits most of the time, and a pool has no more than there are cores. Fewer
    /// where the system gives no more; this one, where it gives none.
    private static func onThreads(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        let ended = DispatchGroup()
        for number in 1...max(count, 1) {
            ended.enter()
            let isStarted = WorkerThread.start("board \(number)") {
                body()
                ended.leave()
            }
            guard !isStarted else { continue }
            ended.leave()
            if number == 1 { body() }
            break
        }
        ended.wait()
    }

    /// What one board takes while it is provisioned, with its emulator's, and what the rest of the program does.
    private static var descriptors: (each: Int, shared: Int) { (each: 16, shared: 48) }

    /// As many boards at a time as there are descriptors for: 1024 are the usual limit, which is raised as far
    /// as it may be.
    private func jobsWithDescriptors() -> Int {
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        let needed = rlim_t(256 + 32 * jobs)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < needed else { return jobs }
        let before = limit.rlim_cur
        limit.rlim_cur = min(needed, limit.rlim_max)
        if setrlimit(resource, &limit) != 0 { limit.rlim_cur = before }
        let (each, shared) = Self.descriptors
        let possible = max(1, (Int(clamping: limit.rlim_cur) - shared) / each)
        guard possible < jobs else { return jobs }
        Terminal.standardError.remark(
            "note: \(limit.rlim_cur) open files are allowed, so \(possible.counted("board")) at a time and not "
                + "\(jobs); raise the limit with ulimit -n")
        return possible
    }
}
