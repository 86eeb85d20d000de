import Channels
import Platforms
import Provisioning

/// A tool that has the log connects to this computer.
final class ListenerRoute: ChannelRoute {
    private let host: String
    private let port: UInt16
    private let timeouts: Timeouts
    private let interruption: Interruption
    private let reporter: ProgressReporter
    /// Nil until it listens.
    private var log: ListeningLog?

    init(
        _ host: String, _ port: UInt16, _ timeouts: Timeouts, interruption: Interruption,
        reporter: ProgressReporter
    ) {
        self.host = host
        self.port = port
        self.timeouts = timeouts
        self.interruption = interruption
        self.reporter = reporter
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        guard log == nil else { return }
        try ListeningLog.checkPresence(
            host: host, port: port, within: timeouts[.connect], interruption: interruption)
    }

    /// Listens from before the board is flashed: who connects early waits.
    func check() throws(ProvisioningError) { _ = try listening() }

    /// What came before the new firmware starts is not its own.
    func listen(at port: String?) throws(ProvisioningError) { try listening().discard() }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        let log = try listening()
        // Where this run flashed nothing, the tool may do so before it connects.
        let limit = timeouts.boot + (isFlashed ? .zero : timeouts.flash)
        if try !log.hasClient() {
            let endpoint = ProbeEndpoint.tcp(host: host, port: port).description.dropFirst(
                "tcp:".count)
            reporter.remarked("waiting \(limit.brief) for a connection on \(endpoint)")
        }
        try log.awaitClient(within: limit)
        return log
    }

    private func listening() throws(ProvisioningError) -> ListeningLog {
        if let log { return log }
        let log = try ListeningLog(
            host: host, port: port, within: timeouts[.connect], interruption: interruption)
        self.log = log
        return log
    }
}
