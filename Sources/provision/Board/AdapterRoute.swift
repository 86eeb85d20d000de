import Channels
import Platforms
import Provisioning

/// Through the platform's adapter.
final class AdapterRoute: ChannelRoute {
    private let connection: Connection
    private let timeouts: Timeouts
    private let session: () throws(ProvisioningError) -> AdapterSession

    /// - Parameter session: starts the adapter, when it is first called.
    init(
        _ connection: Connection, _ timeouts: Timeouts,
        session: @escaping () throws(ProvisioningError) -> AdapterSession
    ) {
        self.connection = connection
        self.timeouts = timeouts
        self.session = session
    }

    /// That it starts and says hello.
    func check() throws(ProvisioningError) { _ = try session() }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        let session = try session()
        let channel = try AdapterChannel(
            session, port: connection.serialPort, isFlashed: isFlashed,
            within: isFlashed ? timeouts.boot : timeouts[.connect])
        // Only where the user says so: an adapter that flashes also starts what it flashed.
        if let words = connection.link.reset, try ModemSequence.parse(words) != nil {
            do {
                try session.reset()
            } catch {
                channel.close()
                throw error
            }
        }
        return channel
    }
}
