public import Provisioning

/// A log that a tool serves at a TCP port, as OpenOCD's `rtt server` does: it ends with the connection.
public final class ConnectedLog: PollableChannel, DeviceLog {
    private let connection: StreamChannel

    public var name: String { connection.name }
    public let isFile = false
    public var pollDescriptor: Int32 { connection.pollDescriptor }

    /// Takes `connection` over.
    public init(_ connection: StreamChannel) { self.connection = connection }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        try connection.read(atMost: limit, within: timeout)
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        throw .readOnlyLog(name)
    }

    public func close() { connection.close() }
}
