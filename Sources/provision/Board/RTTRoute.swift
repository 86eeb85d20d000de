import Channels
import Platforms
import Provisioning

/// RTT, through the debug probe that the board is flashed with.
final class RTTRoute: ChannelRoute {
    private let platform: Platform
    private let hasProbe: () throws(ProvisioningError) -> Bool
    private let probe: () throws(ProvisioningError) -> GDBFlasher?
    private let image: () -> FirmwareImage?
    private let keep: () throws(ProvisioningError) -> Void

    /// - Parameters:
    ///   - hasProbe: whether somebody named one, or this run starts the board.
    ///   - probe: the connected probe; nil where nobody named one.
    ///   - image: what the board was flashed with, by whichever tool; nil where nobody knows.
    ///   - keep: keeps what an emulated board stored, before what it says leaves.
    init(
        _ platform: Platform, hasProbe: @escaping () throws(ProvisioningError) -> Bool,
        probe: @escaping () throws(ProvisioningError) -> GDBFlasher?,
        image: @escaping () -> FirmwareImage?,
        keep: @escaping () throws(ProvisioningError) -> Void
    ) {
        self.platform = platform
        self.hasProbe = hasProbe
        self.probe = probe
        self.image = image
        self.keep = keep
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        try check()
        guard try hasProbe() else { throw Self.unnamedProbe }
    }

    func check() throws(ProvisioningError) { _ = try settings }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        let settings = try settings
        guard let probe = try probe() else { throw Self.unnamedProbe }
        return try probe.openRTT(
            settings, of: isFlashed ? image() : nil, within: platform.timeouts.boot,
            beforeDelivery: keep)
    }

    private static var unnamedProbe: ProvisioningError {
        ProvisioningError(
            .probeUnavailable, "RTT is through a debug probe, and none is named",
            hint: "name its GDB server with --probe, or a tool's RTT socket with --port")
    }

    private var settings: RTTSettings {
        get throws(ProvisioningError) { try Self.settings(of: platform) }
    }

    /// - Throws: `.usage` where the platform file does not say where RTT is.
    static func settings(of platform: Platform) throws(ProvisioningError) -> RTTSettings {
        if let settings = platform.channel.rtt { return settings }
        throw ProvisioningError(
            .usage, "the platform \(platform.name) does not say where the board's RTT is",
            hint: "its file needs [channel.rtt] with the chip's RAM")
    }
}
