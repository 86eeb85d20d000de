import Channels
import Platforms
import Provisioning

/// A tool that has the probe offers RTT on a socket, both ways or as a log.
final class SocketRoute: ChannelRoute {
    private let endpoint: ProbeEndpoint
    private let isLog: Bool
    private let timeouts: Timeouts
    private let interruption: Interruption

    /// - Parameter isLog: whether it is only read, to its end.
    init(
        _ endpoint: ProbeEndpoint, _ timeouts: Timeouts, isLog: Bool = false,
        interruption: Interruption
    ) {
        self.endpoint = endpoint
        self.isLog = isLog
        self.timeouts = timeouts
        self.interruption = interruption
    }

    func check() {}

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        // A tool's RTT server waits for the firmware, too.
        let connection = try StreamChannel.connect(
            to: endpoint, within: isFlashed ? timeouts.boot : timeouts[.connect],
            untilListening: isFlashed, interruption: interruption)
        return isLog ? ConnectedLog(connection) : connection
    }
}
