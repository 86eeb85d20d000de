import Authority
import Provisioning
import Registry
import Synchronization

/// Registry and authority for boards that are provisioned, one at a time or side by side: opened once, and made if
/// there are none, when the first board is known to be there. An authority that is there is read before.
final class RunState: Sendable {
    struct Opened: Sendable {
        let registry: SQLiteRegistry
        let authority: FileAuthority
    }

    private let state: State
    private let acceptsClock: Bool
    private let reading: AuthorityReading
    private let opened = Mutex<Opened?>(nil)

    /// - Parameter acceptsClock: the clock is right; the one that the registry was changed by was ahead.
    init(_ state: State, acceptsClock: Bool) {
        self.state = state
        self.acceptsClock = acceptsClock
        reading = AuthorityReading(state.directory)
    }

    /// To be called before a board is touched: what can't be used must be found out by then.
    func open() throws(ProvisioningError) -> Opened {
        try opened.withLock { opened throws(ProvisioningError) in
            if let opened { return opened }
            let registry = try state.openRegistry()
            let authority = try state.openAuthority(of: registry, reading)
            try state.checkClock(registry, authority, isAccepted: acceptsClock)
            let new = Opened(registry: registry, authority: authority)
            opened = new
            return new
        }
    }
}
