import CHost
import Foundation
import Provisioning
import Synchronization

/// A raw pseudo-terminal whose both ends are held, so that the one never sees the other's users go.
final class PseudoTerminal: Sendable {
    let master: Int32
    /// What users open.
    let path: String
    private let slave: Int32
    private let isOpen = Mutex(true)

    init() throws(ProvisioningError) {
        var (master, slave) = (Int32(-1), Int32(-1))
        var name = [CChar](repeating: 0, count: 128)
        // A cooked terminal would echo the board's output back to it.
        var settings = termios()
        cfmakeraw(&settings)
        guard openpty(&master, &slave, &name, &settings, nil) == 0 else { throw Self.failure() }
        (self.master, self.slave) = (master, slave)
        path = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        guard chost_set_nonblocking(master, true) == 0 else {
            close()
            throw Self.failure()
        }
    }

    /// Hangs up on whoever has it open. Idempotent.
    func close() {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            isOpen = false
            _ = Foundation.close(slave)
            _ = Foundation.close(master)
        }
    }

    private static func failure() -> ProvisioningError {
        ProvisioningError(
            .emulatorFailed, "no pseudo-terminal: \(String(cString: strerror(errno)))")
    }
}
