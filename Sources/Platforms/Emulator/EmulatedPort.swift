import CHost
import Channels
import Provisioning
import Synchronization

/// The serial port of an emulated board: a raw pseudo-terminal whose both ends are held, so that the one
/// never sees the other's users go.
final class EmulatedPort: Sendable {
    private let terminal: PseudoTerminal
    private let isOpen = Mutex(true)

    /// Never waits.
    var master: Int32 { terminal.master }
    /// What users open.
    var path: String { terminal.path }

    init() throws(ProvisioningError) {
        do throws(SystemError) {
            // A cooked terminal would echo the board's output back to it.
            terminal = try PseudoTerminal()
        } catch {
            throw Self.failure(error)
        }
        let error = chost_set_nonblocking(terminal.master, true)
        guard error == 0 else {
            close()
            throw Self.failure(SystemError(error))
        }
    }

    /// Hangs up on whoever has it open. Idempotent.
    func close() {
        isOpen.withLock { isOpen in
            if isOpen { terminal.close() }
            isOpen = false
        }
    }

    private static func failure(_ error: SystemError) -> ProvisioningError {
        ProvisioningError(.emulatorFailed, "no pseudo-terminal: \(error)")
    }
}
