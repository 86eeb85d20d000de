import Channels
import Platforms
import Provisioning

/// A tool that has the probe offers RTT on a socket.
final class SocketRoute: ChannelRoute {
    private let endpoint: ProbeEndpoint
    private let timeouts: Timeouts
    private let interruption: Interruption

    init(_ endpoint: ProbeEndpoint, _ timeouts: Timeouts, interruption: Interruption) {
        self.endpoint = endpoint
        self.timeouts = timeouts
        self.interruption = interruption
    }

    func check() {}

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        // A tool's RTT server waits for the firmware, too.
        try StreamChannel.connect(
            to: endpoint, within: isFlashed ? timeouts.boot : timeouts[.connect],
            untilListening: isFlashed, interruption: interruption)
    }
}
