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

/// A file that another program writes a device's log to, while it does. It has no end.
public final class GrowingLog: DeviceLog {
    public let name: String
    public let isFile = false
    private var descriptor: Int32
    private let interruption: Interruption
    private var offset: off_t = 0

    /// How often the file is looked at.
    private static let lookInterval = Duration.milliseconds(20)

    /// - Parameter skips: whether only what is written from now on counts.
    public init(path: String, skips: Bool, interruption: Interruption) throws(ProvisioningError) {
        descriptor = try openLog(path)
        name = path
        self.interruption = interruption
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            closeDescriptor(descriptor)
            descriptor = -1
            throw ProvisioningError(
                .usage, "--follow is for a file that grows, and \(path) is none",
                hint: "leave --follow away: what is no file is read as it comes")
        }
        if skips { offset = status.st_size }
    }

    deinit { close() }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        let deadline = Deadline(within: timeout)
        while true {
            guard descriptor >= 0 else { throw .logEnded("\(name): it was closed before") }
            try interruption.check()
            switch readLog(limit, { pread(descriptor, $0, limit, offset) }) {
            case .success(let bytes) where bytes.isEmpty: beginAnewIfCut()
            case .success(let bytes):
                offset += off_t(bytes.count)
                return bytes
            case .failure(let error) where error.number == EINTR: continue
            case .failure(let error): throw .logEnded("\(name): \(error)")
            }
            guard !deadline.isPast else { return [] }
            try interruption.pause(for: min(deadline.remaining, Self.lookInterval))
        }
    }

    /// A program that begins its log anew empties the file.
    private func beginAnewIfCut() {
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_size < offset { offset = 0 }
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

/// A pipe with a name and no writer yet is no reason to wait here.
private func openLog(_ path: String) throws(ProvisioningError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else { throw .noLog(path, .last) }
    return descriptor
}

/// None is the end.
func readLog(
    _ limit: Int, _ read: (UnsafeMutableRawPointer?) -> Int
) -> Result<[UInt8], SystemError> {
    var (count, error) = (0, Int32(0))
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
        count = read(buffer.baseAddress)
        error = errno
        filled = max(0, count)
    }
    return count < 0 ? .failure(SystemError(error)) : .success(bytes)
}

extension ProvisioningError {
    fileprivate static func noLog(_ name: String, _ error: SystemError) -> ProvisioningError {
        ProvisioningError(
            .channelUnavailable, "\(name) cannot be read as a log: \(error)",
            hint: "--log takes a file, - for standard input, channel or flasher")
    }

    static func logEnded(_ reason: String) -> ProvisioningError {
        ProvisioningError(.channelClosed, reason)
    }

    static func readOnlyLog(_ name: String) -> ProvisioningError {
        ProvisioningError(.channelUnavailable, "nothing can be sent to \(name): it is a log")
    }
}
