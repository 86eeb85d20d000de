public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A unix socket that listens, for a child to accept on: who connects before the child does so waits.
public final class ListeningSocket {
    public let path: String
    /// For the child to inherit; −1 once closed.
    public private(set) var descriptor: Int32
    private var isThere = true

    /// Makes the socket, in place of one that an earlier process left.
    ///
    /// - Throws: `failure`, naming the path.
    public init(path: String, failure: ErrorCode) throws(ProvisioningError) {
        self.path = path
        descriptor = socket(AF_UNIX, streamSocketType, 0)
        guard descriptor >= 0 else {
            throw ProvisioningError(failure, "no socket \(path): \(SystemError.last)")
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(path)
        // Whatever is thrown from here on, `deinit` cleans up.
        guard let address = UnixAddress(path) else {
            throw ProvisioningError(
                failure, "no socket \(path): \(SystemError(ENAMETOOLONG))",
                hint: "choose a state directory with a shorter path: PROVISION_HOME")
        }
        let bound = address.withPointer { bind(descriptor, $0, $1) }
        guard bound == 0, chmod(path, 0o600) == 0, listen(descriptor, 8) == 0 else {
            throw ProvisioningError(failure, "no socket \(path): \(SystemError.last)")
        }
    }

    deinit { remove() }

    /// Once the child has it: who connects learns of the child's end then. Idempotent.
    public func release() {
        guard descriptor >= 0 else { return }
        closeDescriptor(descriptor)
        descriptor = -1
    }

    /// Nobody finds it any more. Idempotent.
    public func remove() {
        release()
        if isThere { unlink(path) }
        isThere = false
    }
}
