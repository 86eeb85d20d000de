import Foundation
import Provisioning

/// Standard output, or a file that appears only when it is complete.
final class ExportDestination {
    private let path: String?
    private let temporaryPath: String
    private let terminal: Terminal

    init(path: String?) throws {
        self.path = path
        temporaryPath = path.map { "\($0).\(getpid()).partial" } ?? ""
        guard path != nil else {
            terminal = .standardOutput
            return
        }
        let descriptor = open(
            temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else {
            throw ProvisioningError(
                .usage, "\(path ?? "") can't be written: \(String(cString: strerror(errno)))",
                hint: "choose another --output")
        }
        terminal = Terminal(descriptor: descriptor)
    }

    func write(_ bytes: some Sequence<UInt8>) { terminal.write(Array(bytes)) }

    func write(_ text: String) { terminal.write(text) }

    func commit() throws {
        guard let path else { return }
        let isDurable = fsync(terminal.descriptor) == 0
        let isClosed = close(terminal.descriptor) == 0
        guard isDurable, isClosed, rename(temporaryPath, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporaryPath)
            throw ProvisioningError(.usage, "\(path) can't be written: \(reason)")
        }
    }

    func abandon() {
        guard path != nil else { return }
        close(terminal.descriptor)
        unlink(temporaryPath)
    }
}
