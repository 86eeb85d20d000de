import Authority
import Channels
import Dispatch
import Provisioning
import Synchronization

/// Reads the authority on a thread of its own, while boards are looked for and the registry is opened: the first key
/// that OpenSSL reads takes it longer than either.
final class AuthorityReading: Sendable {
    private final class Outcome: Sendable {
        let authority = Mutex<FileAuthority?>(nil)
        let isKnown = DispatchGroup()
    }

    // The thread has it, and not what waits for the thread.
    private let outcome = Outcome()

    init(_ directory: StateDirectory) {
        let (outcome, path) = (outcome, directory.authority)
        outcome.isKnown.enter()
        let isStarted = WorkerThread.start("authority") {
            let authority = try? FileAuthority.open(at: path)
            outcome.authority.withLock { $0 = authority }
            outcome.isKnown.leave()
        }
        if !isStarted { outcome.isKnown.leave() }
    }

    /// The process must not end meanwhile: OpenSSL cleans up then, under the thread's feet.
    deinit { outcome.isKnown.wait() }

    /// Nil if there is none, or it can't be read: whoever needs it is told why by reading it again.
    var authority: FileAuthority? {
        outcome.isKnown.wait()
        return outcome.authority.withLock(\.self)
    }
}
