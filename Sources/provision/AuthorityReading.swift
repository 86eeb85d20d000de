import Authority
import Channels
import Dispatch
import Provisioning
import Synchronization

/// Reads the authority on a thread of its own, while boards are looked for and the registry is opened: the first key
/// that OpenSSL reads takes it longer than either.
final class AuthorityReading: Sendable {
    private let outcome = Mutex<FileAuthority?>(nil)
    private let isKnown = DispatchGroup()

    init(_ directory: StateDirectory) {
        isKnown.enter()
        let isStarted = WorkerThread.start("authority") { [self] in
            let authority = try? FileAuthority.open(at: directory.authority)
            outcome.withLock { $0 = authority }
            isKnown.leave()
        }
        if !isStarted { isKnown.leave() }
    }

    /// Nil if there is none, or it can't be read: whoever needs it is told why by reading it again.
    var authority: FileAuthority? {
        isKnown.wait()
        return outcome.withLock(\.self)
    }
}
