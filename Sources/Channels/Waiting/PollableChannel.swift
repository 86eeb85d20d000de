public import Provisioning

/// A channel with a descriptor that can be polled together with others.
public protocol PollableChannel: Channel {
    /// Readable when `read` would return at once; −1 once closed.
    var pollDescriptor: Int32 { get }
}
