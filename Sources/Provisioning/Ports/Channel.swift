/// A byte stream to a device: a UART, a pty, an RTT channel, a USB pipe. Or a way for datagrams.
///
/// Callers own a channel exclusively and use it from one thread at a time.
///
/// Implementers: deliver bytes unchanged, in order, as they arrive; a read returns as soon as it has
/// any; nothing blocks beyond `timeout`. Throw `.channelClosed` once the far side is gone and
/// `.interrupted` when the user asked to stop.
public protocol Channel: AnyObject {
    /// What the user calls it: `/dev/ttyACM0`.
    var name: String { get }

    /// Whether a read gives what one write at the far end was, all of it, and the other way round: a
    /// datagram.
    var carriesDatagrams: Bool { get }

    /// 1 to `limit` bytes, or none if nothing arrived within `timeout`.
    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8]

    /// Writes all of `bytes`, or throws `.channelUnavailable` when they did not fit in `timeout`.
    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError)

    /// Idempotent.
    func close()
}

extension Channel {
    public var carriesDatagrams: Bool { false }
}
