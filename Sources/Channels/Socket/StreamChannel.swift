import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A channel over a connected descriptor: a socket, a pty's master, a pipe pair's one end.
public final class StreamChannel: PollableChannel {
    public let name: String
    private var descriptor: Int32
    private let isSocket: Bool
    private let interruption: Interruption
    /// What the far side's disappearance probably means.
    private let closedHint: String?

    /// While true, waits are not interrupted: cleaning up has to talk, too.
    var isShielded = false

    /// Takes `descriptor` over and closes it in the end.
    ///
    /// - Throws: `.channelUnavailable` if `descriptor` isn't open.
    public init(
        descriptor: Int32, name: String, interruption: Interruption, closedHint: String? = nil
    ) throws(ProvisioningError) {
        let error = chost_set_nonblocking(descriptor, true)
        guard error == 0 else {
            throw ProvisioningError(.channelUnavailable, "\(name): \(SystemError(error))")
        }
        self.descriptor = descriptor
        self.name = name
        self.interruption = interruption
        self.closedHint = closedHint
        isSocket = chost_is_socket(descriptor)
    }

    deinit { close() }

    public var pollDescriptor: Int32 { descriptor }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        let deadline = Deadline(within: timeout)
        while try isReady(Poll.readable, until: deadline) {
            var (count, error) = (0, Int32(0))
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
                count = readBytes(descriptor, buffer.baseAddress, limit)
                error = errno
                filled = max(0, count)
            }
            if count > 0 { return bytes }
            if count == 0 { throw closed("the far side closed it") }
            if error == EAGAIN || error == EINTR { continue }
            throw closed("\(SystemError(error))")
        }
        return []
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        let deadline = Deadline(within: timeout)
        var sent = 0
        while sent < bytes.count {
            guard try isReady(Poll.writable, until: deadline) else {
                throw ProvisioningError(
                    .channelUnavailable,
                    "\(name) took \(sent) of \(bytes.count) bytes in \(timeout.brief)",
                    hint: "is the device running, and is flow control off?")
            }
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return isSocket
                    ? chost_send(descriptor, rest.baseAddress, rest.count)
                    : writeBytes(descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 {
                sent += count
            } else if errno != EAGAIN && errno != EINTR {
                throw closed("\(SystemError.last)")
            }
        }
    }

    public func close() {
        guard descriptor >= 0 else { return }
        closeDescriptor(descriptor)
        descriptor = -1
    }

    private func isReady(_ events: Int16, until deadline: Deadline) throws(ProvisioningError)
        -> Bool
    {
        guard descriptor >= 0 else { throw closed("it was closed before") }
        return try Poll.wait(
            descriptor, for: events, until: deadline, isShielded ? nil : interruption)
    }

    private var lostHint: String {
        isSocket
            ? "whoever listens there ended the connection: does it still run, and does another use it?"
            : "whoever has the other end is gone: start it again"
    }

    private func closed(_ reason: String) -> ProvisioningError {
        ProvisioningError(.channelClosed, "\(name): \(reason)", hint: closedHint ?? lostHint)
    }
}
