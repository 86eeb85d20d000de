public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A device's log that comes in, to its end: standard input, a file, a pipe with a name.
public final class LogInput: PollableChannel, DeviceLog {
    public let name: String
    public let isFile: Bool
    private var descriptor: Int32
    private let interruption: Interruption

    /// Standard input. Its mode stays as it is: it may be another program's too.
    public static func standardInput(_ interruption: Interruption) throws(ProvisioningError)
        -> LogInput
    {
        let descriptor = fcntl(0, F_DUPFD_CLOEXEC, 3)
        guard descriptor >= 0 else { throw .noLog("standard input", .last) }
        return try LogInput(descriptor, "standard input", interruption)
    }

    /// - Parameters:
    ///   - path: a file's, or a pipe's with a name. For a tty, there is `SerialPort`.
    ///   - skips: whether only what is written from now on counts.
    public convenience init(path: String, skips: Bool, interruption: Interruption)
        throws(ProvisioningError)
    {
        try self.init(try openLog(path), path, interruption)
        if skips, isFile { lseek(descriptor, 0, SEEK_END) }
    }

    /// Refuses what can't be read, without opening it: a pipe's writer would learn of it.
    ///
    /// - Throws: `.channelUnavailable`, as opening it would.
    public static func checkPresence(path: String) throws(ProvisioningError) {
        var status = stat()
        guard access(path, R_OK) == 0, stat(path, &status) == 0 else { throw .noLog(path, .last) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .noLog(path, SystemError(EISDIR)) }
    }

    private init(_ descriptor: Int32, _ name: String, _ interruption: Interruption)
        throws(ProvisioningError)
    {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            closeDescriptor(descriptor)
            throw .noLog(name, SystemError(EISDIR))
        }
        isFile = status.st_mode & S_IFMT == S_IFREG
        self.descriptor = descriptor
        self.name = name
        self.interruption = interruption
    }

    /// Whether it is a pipe in which there is nothing now, and neither its end.
    public var isSilentPipe: Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            return false
        }
        var entry = pollfd(fd: descriptor, events: Poll.readable, revents: 0)
        return poll(&entry, 1, 0) == 0
    }

    deinit { close() }

    public var pollDescriptor: Int32 { descriptor }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        guard descriptor >= 0 else { throw .logEnded("\(name): it was closed before") }
        let deadline = Deadline(within: timeout)
        while try Poll.wait(descriptor, for: Poll.readable, until: deadline, interruption) {
            switch readLog(limit, { readBytes(descriptor, $0, limit) }) {
            case .success(let bytes) where bytes.isEmpty: throw .logEnded("\(name) is at its end")
            case .success(let bytes): return bytes
            case .failure(let error) where [EAGAIN, EINTR].contains(error.number): continue
            case .failure(let error): throw .logEnded("\(name): \(error)")
            }
        }
        return []
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        throw .readOnlyLog(name)
    }

    public func close() {
        guard descriptor >= 0 else { return }
        closeDescriptor(descriptor)
        descriptor = -1
    }
}
