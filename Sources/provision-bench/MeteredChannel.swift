import Provisioning

/// A channel that counts what goes over it, and how long it waits for the device.
final class MeteredChannel: Channel {
    private let channel: any Channel
    private let clock = ContinuousClock()
    private(set) var bytesSent = 0
    private(set) var bytesReceived = 0
    /// Time in `read`, which returns as soon as there is a byte.
    private(set) var waiting = Duration.zero

    init(_ channel: any Channel) { self.channel = channel }

    var name: String { channel.name }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        let start = clock.now
        defer { waiting += clock.now - start }
        let bytes = try channel.read(atMost: limit, within: timeout)
        bytesReceived += bytes.count
        return bytes
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        try channel.write(bytes, within: timeout)
        bytesSent += bytes.count
    }

    func close() { channel.close() }
}
