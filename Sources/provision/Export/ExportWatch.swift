import Channels
import Foundation
import Provisioning
import Registry

/// Keeps an exported file current while others change the registry.
struct ExportWatch {
    let path: String
    let interruption: Interruption

    /// Between two looks at the registry.
    private static let pause = Duration.milliseconds(500)

    /// Ctrl-C is how this ends well, but not while something is not written that should be.
    ///
    /// - Parameters:
    ///   - head: where the registry's log ends; `.notFound` while there is no registry.
    ///   - write: the whole export.
    func run(
        head: () throws -> LogHead, write: (ExportDestination) throws -> Void
    ) throws {
        var last: LogHead?
        var isWriting = false
        Terminal.standardError.remark("\(path) follows the registry; leave with Ctrl-C")
        do {
            while true {
                // Also when somebody has removed it: `make clean`.
                if let now = try existing(head), now != last || access(path, F_OK) != 0 {
                    isWriting = true
                    let destination = try ExportDestination(path: path)
                    try write(destination)
                    if try destination.commitIfChanged() {
                        Terminal.standardError.remark("\(path) is written anew")
                    }
                    isWriting = false
                    last = now
                }
                try interruption.pause(for: Self.pause)
            }
        } catch let error as ProvisioningError where error.code == .interrupted && !isWriting {
            return
        }
    }

    private func existing(_ head: () throws -> LogHead) throws -> LogHead? {
        do {
            return try head()
        } catch let error as ProvisioningError where error.code == .notFound {
            return nil
        }
    }
}
