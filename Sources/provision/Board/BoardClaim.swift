import Channels
import Foundation
import OpenSSL
import Provisioning

/// One run's hold on a port or probe, from before the board is touched to the end. A tty's own lock is not
/// enough: nobody has the port open while the board is flashed.
///
/// It binds those who share a state directory. Others meet the tty's lock, and a probe's server.
final class BoardClaim {
    private var descriptor: Int32

    /// Holds `name`. Where the state directory can't be written there is nothing to hold by.
    ///
    /// - Parameters:
    ///   - code: of the error, if another has it.
    ///   - folder: the state directory.
    /// - Throws: `code`, naming the process that has it.
    init(_ name: String, else code: ErrorCode, in folder: String) throws(ProvisioningError) {
        let locks = folder + "/locks"
        try? FileManager.default.createDirectory(
            atPath: locks, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700]
        )
        let file = Self.file(name, in: folder)
        descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        close(descriptor)
        descriptor = -1
        let holder = PortHolder.find(file).map { "\($0)" } ?? "another run"
        throw ProvisioningError(
            code, "\(name) is in use by \(holder)", hint: "let it end, or end it, and try again")
    }

    deinit { release() }

    /// Who holds `name`, without taking it; nil: nobody.
    static func holder(of name: String, in folder: String) -> PortHolder? {
        PortHolder.find(file(name, in: folder))
    }

    /// Names are paths and addresses of any length.
    private static func file(_ name: String, in folder: String) -> String {
        folder + "/locks/" + SHA256.hash(Array(name.utf8)).prefix(16).hexadecimal
    }

    /// Idempotent.
    func release() {
        guard descriptor >= 0 else { return }
        // A process that is being started shares the descriptor for an instant, and the lock with it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
        descriptor = -1
    }
}
