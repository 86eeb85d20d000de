import Channels
import Platforms
import Provisioning

/// RTT through OpenOCD's Tcl port: `--port openocd:HOST`, while its GDB server is somebody else's.
final class OpenOCDRoute: ChannelRoute {
    private let platform: Platform
    private let address: OpenOCDAddress
    private let image: () -> FirmwareImage?
    private let interruption: Interruption

    /// - Parameter image: what the board was flashed with; nil where nobody knows.
    init(
        _ address: OpenOCDAddress, _ platform: Platform, image: @escaping () -> FirmwareImage?,
        interruption: Interruption
    ) {
        self.address = address
        self.platform = platform
        self.image = image
        self.interruption = interruption
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) { _ = try settings }

    func check() throws(ProvisioningError) { _ = try settings }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        let settings = try settings
        let control = try OpenOCDControl.connect(
            host: address.host, port: address.port, within: platform.timeouts[.connect],
            replyTimeout: platform.timeouts[.probe], interruption: interruption)
        return try RTTChannel(
            control, settings, of: isFlashed ? image() : nil, within: platform.timeouts.boot,
            interruption: interruption)
    }

    func idReader(of location: DeviceIDLocation) -> OpenOCDIDReader {
        OpenOCDIDReader(
            host: address.host, port: address.port, location: location,
            connectTimeout: platform.timeouts[.connect],
            replyTimeout: platform.timeouts[.probe], interruption: interruption)
    }

    private var settings: RTTSettings {
        get throws(ProvisioningError) { try RTTRoute.settings(of: platform) }
    }
}
