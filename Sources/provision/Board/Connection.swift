import Attestation
import Channels
import Platforms
import Provisioning
import SMP

/// How a board is reached: what the user said, and what was found where the user said nothing.
struct Connection: Sendable {
    /// What the user named in a port's place: see `PortAddress`.
    var port: String?
    /// The serial port that USB shows, or of the emulated board that runs; nil where the user named one, or nobody
    /// uses it.
    var foundPort: String?
    /// Where USB shows the board itself, by the kernel's name; nil where it has no channel of its own there.
    var foundPlace: String?
    /// The user's; nil: the platform's.
    var channel: Platform.ChannelSettings.Kind?
    var link = Link()
    /// The debug probe's GDB server, or whatever the platform's adapter understands.
    var probe: String?
    var probeSerial: String?
    var usbSerial: String?
    /// The only one that is meant.
    var device: DeviceID?
    /// Of an emulated board.
    var instance: String?

    /// What a tool is told, and what the board's firmware speaks on, where that is a serial port.
    var serialPort: String? { port ?? foundPort }

    /// What the device is spoken to through.
    func channel(of platform: Platform) -> Platform.ChannelSettings.Kind {
        channel ?? platform.channel.kind
    }

    /// How the line is driven, where the platform file does not know better.
    struct Link: Sendable {
        /// Bits per second; of several, each is tried.
        var baud: [UInt32]?
        var flowControl: FlowControl?
        /// Words of a `ModemSequence`.
        var reset: [String]?
        var noReset = false
        var framing: SMPFraming?
        var smpVersion: SMPVersion?
        var timeouts: [Timeout: Duration] = [:]
    }
}
