import Channels
import Platforms
import Provisioning

/// A tool that has the probe offers RTT on a socket.
final class SocketRoute: ChannelRoute {
    private let endpoint: ProbeEndpoint
    private let timeout: Duration
    private let interruption: Interruption

    /// - Parameter timeout: how long the tool may take until it listens, after flashing.
    init(_ endpoint: ProbeEndpoint, timeout: Duration, interruption: Interruption) {
        self.endpoint = endpoint
        self.timeout = timeout
        self.interruption = interruption
    }

    /// The socket that the user named in a port's place; nil where `port` is a path.
    static func endpoint(_ port: String?) throws(ProvisioningError) -> ProbeEndpoint? {
        guard let port, ["tcp:", "unix:"].contains(where: port.hasPrefix) else { return nil }
        return try ProbeEndpoint(parsing: port)
    }

    func check() {}

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        // A tool's RTT server waits for the firmware, too.
        try StreamChannel.connect(
            to: endpoint, within: timeout, untilListening: isFlashed, interruption: interruption)
    }
}
