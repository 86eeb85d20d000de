import Channels
import Provisioning

/// The channel of a board that was just flashed, and may still leave: some tools return before the board has
/// started over. For a while it is followed to where it comes back.
final class FollowedChannel: Channel {
    private var channel: any Channel
    private let end: ContinuousClock.Instant
    private var isClosed = false
    private let reopen: () throws(ProvisioningError) -> any Channel

    /// - Parameters:
    ///   - end: from when on a board that leaves is gone.
    ///   - reopen: waits until then.
    init(
        _ channel: any Channel, until end: ContinuousClock.Instant,
        reopen: @escaping () throws(ProvisioningError) -> any Channel
    ) {
        self.channel = channel
        self.end = end
        self.reopen = reopen
    }

    var name: String { channel.name }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        let deadline = ContinuousClock.now + timeout
        while true {
            do throws(ProvisioningError) {
                let rest = max(.zero, ContinuousClock.now.duration(to: deadline))
                return try channel.read(atMost: limit, within: rest)
            } catch {
                try follow(after: error)
            }
        }
    }

    /// A board that starts over has nothing of what it took before.
    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        let deadline = ContinuousClock.now + timeout
        while true {
            do throws(ProvisioningError) {
                let rest = max(.zero, ContinuousClock.now.duration(to: deadline))
                return try channel.write(bytes, within: rest)
            } catch {
                try follow(after: error)
            }
        }
    }

    func close() {
        isClosed = true
        channel.close()
    }

    private func follow(after error: ProvisioningError) throws(ProvisioningError) {
        guard !isClosed, error.code == .channelClosed, .now < end else { throw error }
        channel.close()
        channel = try reopen()
    }
}
