public import Provisioning

/// A device's bytes, by way of an adapter.
public final class AdapterChannel: Channel {
    public var name: String { "\(session.name)\(port.map { " (\($0))" } ?? "")" }
    private let session: AdapterSession
    private let port: String?

    /// Opens the device's channel. The session may be used for nothing else until it is closed.
    ///
    /// - Parameters:
    ///   - port: what the user named, for messages.
    ///   - isFlashed: this session flashed the board, which may only be starting.
    ///   - timeout: nil: as long as the session's connections may take.
    public init(
        _ session: AdapterSession, port: String?, isFlashed: Bool, within timeout: Duration? = nil
    ) throws(ProvisioningError) {
        self.session = session
        self.port = port
        try session.open(isFlashed: isFlashed, within: timeout)
    }

    deinit { close() }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        try session.read(atMost: limit, within: timeout)
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        try session.write(bytes, within: timeout)
    }

    public func close() { session.close() }
}
