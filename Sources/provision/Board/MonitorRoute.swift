import Channels
import Provisioning

/// What the flash command prints, which goes on running.
final class MonitorRoute: ChannelRoute {
    private let flasher: () -> MonitoringFlasher?

    /// - Parameter flasher: nil before it is asked to flash.
    init(flasher: @escaping () -> MonitoringFlasher?) { self.flasher = flasher }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        guard isFlashing else { throw Self.nothingFlashed }
    }

    func check() {}

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        guard let flasher = flasher() else { throw Self.nothingFlashed }
        return try flasher.log
    }

    private static var nothingFlashed: ProvisioningError {
        ProvisioningError(
            .usage, "the flash command prints the log, and nothing is flashed",
            hint: "provision run flashes; to read another log: --log")
    }
}
