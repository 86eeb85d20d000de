import Channels
import Platforms
import Provisioning

/// Datagrams to a device on the network.
final class UDPRoute: ChannelRoute {
    private let endpoint: UDPEndpoint
    private let timeouts: Timeouts
    private let interruption: Interruption

    init(_ endpoint: UDPEndpoint, _ timeouts: Timeouts, interruption: Interruption) {
        self.endpoint = endpoint
        self.timeouts = timeouts
        self.interruption = interruption
    }

    /// A device that has no firmware yet has no address either.
    func check() {}

    /// A device that was flashed may open its port late.
    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        try UDPChannel(
            endpoint, within: timeouts[.connect], patience: isFlashed ? timeouts.boot : .zero,
            restartTime: timeouts.boot, interruption: interruption)
    }
}
