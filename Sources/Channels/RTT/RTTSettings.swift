/// Where a board's RTT is, and which of its channels are whose.
public struct RTTSettings: Sendable, Hashable {
    /// Where the firmware may keep the control block and its rings. Searched in this order.
    public var memory: [AddressRange]
    /// The channel to the host that carries the device protocol, from 0.
    public var up: Int
    /// The channel from the host.
    public var down: Int
    /// The channel to the host with log text; nil where that shares `up`.
    public var log: Int?

    public init(memory: [AddressRange], up: Int = 0, down: Int = 0, log: Int? = nil) {
        self.memory = memory
        self.up = up
        self.down = down
        self.log = log == up ? nil : log
    }

    /// Of channels.
    public static let numbers = 0...RTTControlBlock.maximumChannelCount - 1
}
