public import Provisioning

/// The other end of a channel under test: what a device has in its hands.
///
/// Implementers: the bytes of a device go one way and those of the host the other, unchanged and in order.
/// Every call comes from a thread that is not the channel's. Throw whatever says best what went wrong; it
/// ends the check.
public protocol ChannelFarEnd: AnyObject, Sendable {
    /// Sends all of `bytes` to the host. It may block until the host reads, and must return, or throw, once
    /// the host has closed the channel.
    func send(_ bytes: [UInt8]) throws

    /// 1 to `limit` bytes from the host; none if nothing arrives within `timeout`.
    func receive(atMost limit: Int, within timeout: Duration) throws -> [UInt8]

    /// Goes away for good, as a board that is unplugged.
    func leave() throws
}

/// A channel that was just opened, and what a check of it needs.
public struct ChannelUnderTest {
    public let channel: any Channel
    public let farEnd: any ChannelFarEnd
    /// Has the channel's reads and writes end as Ctrl-C does. Called from another thread. Nil: the channel
    /// knows no such wish, and whoever uses it has to end by its time-outs.
    public let interrupt: (@Sendable () -> Void)?
    /// Whether the channel finds out that the far end is gone. A probe that reads memory does not.
    public let noticesLeaving: Bool

    public init(
        channel: any Channel, farEnd: any ChannelFarEnd, interrupt: (@Sendable () -> Void)? = nil,
        noticesLeaving: Bool = true
    ) {
        self.channel = channel
        self.farEnd = farEnd
        self.interrupt = interrupt
        self.noticesLeaving = noticesLeaving
    }
}

/// What a channel did that its contract forbids.
public struct ChannelViolation: Error, Sendable, CustomStringConvertible {
    public let check: ChannelCheck
    public let reason: String

    public var description: String { "\(check.rawValue): \(reason)" }
}
