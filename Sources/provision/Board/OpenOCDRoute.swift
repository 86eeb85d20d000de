import Channels
import Platforms
import Provisioning

/// RTT through OpenOCD's Tcl port: `--port openocd:HOST`, while its GDB server is somebody else's.
final class OpenOCDRoute: ChannelRoute {
    private let platform: Platform
    private let host: String
    private let port: UInt16
    private let interruption: Interruption

    private static let scheme = "openocd:"

    /// Nil where `text` is no such address.
    ///
    /// - Throws: `.usage`, quoting `text`.
    init?(_ text: String?, _ platform: Platform, interruption: Interruption)
        throws(ProvisioningError)
    {
        guard let text, text.hasPrefix(Self.scheme) else { return nil }
        let address = text.dropFirst(Self.scheme.count)
        let hasPort = address.hasSuffix("]") ? false : address.contains(":")
        let full = hasPort ? String(address) : "\(address):\(OpenOCDControl.standardPort)"
        guard !address.isEmpty, case .tcp(let host, let port)? = try? ProbeEndpoint(parsing: full)
        else {
            throw ProvisioningError(
                .usage, "no address of OpenOCD's Tcl port: \"\(text)\"",
                hint: "write openocd:HOST or openocd:HOST:PORT")
        }
        self.platform = platform
        (self.host, self.port) = (host, port)
        self.interruption = interruption
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) { _ = try settings }

    func check() throws(ProvisioningError) { _ = try settings }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        let settings = try settings
        let control = try OpenOCDControl.connect(
            host: host, port: port, within: platform.timeouts[.connect],
            replyTimeout: platform.timeouts[.probe], interruption: interruption)
        return try RTTChannel(
            control, settings, within: platform.timeouts.boot, interruption: interruption)
    }

    func idReader(of location: DeviceIDLocation) -> OpenOCDIDReader {
        OpenOCDIDReader(
            host: host, port: port, location: location, connectTimeout: platform.timeouts[.connect],
            replyTimeout: platform.timeouts[.probe], interruption: interruption)
    }

    private var settings: RTTSettings {
        get throws(ProvisioningError) { try RTTRoute.settings(of: platform) }
    }
}
