public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

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
