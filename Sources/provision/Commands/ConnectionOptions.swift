public import ArgumentParser
import Attestation
import Channels
public import Platforms
import Provisioning

/// How a board is reached, where its platform file is not enough.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The serial port: /dev/ttyACM0; or a tool's RTT socket: tcp:localhost:9090; or RTT by "
                + "OpenOCD's Tcl port: openocd:localhost; or a USB device: usb:1209:0002, "
                + "usb:1209:0002:SERIAL, usb:SERIAL; or a device on the network: udp:HOST.",
            valueName: "path"),
        completion: .file())
    var port: String?

    @Option(help: "How to talk to the device, where its platform knows several ways.")
    var channel: Platform.ChannelSettings.Kind?

    @OptionGroup var link: LinkOptions

    @Option(
        help: ArgumentHelp(
            "The debug probe's GDB server: tcp:localhost:3333 or unix:/path.",
            valueName: "endpoint"))
    var probe: String?

    @Option(
        help: ArgumentHelp(
            "Which of several boards, by the debug probe's serial number: for the flash tool, too.",
            valueName: "serial"),
        completion: .shellCommand("provision boards --probe-serials"))
    var probeSerial: String?

    @Option(
        help: ArgumentHelp(
            "Which of several boards, by the USB serial number; its port is found.",
            valueName: "serial"),
        completion: .shellCommand("provision boards --usb-serials"))
    var usbSerial: String?

    @Option(
        help: ArgumentHelp(
            "Go on only with this device: its ID in hexadecimal.", valueName: "id"),
        transform: Self.deviceID)
    var device: DeviceID?

    @Option(
        help: ArgumentHelp(
            "Which of several emulated boards: each has its own flash and ID.", valueName: "name"))
    var instance: String?

    /// What of it a board needs to know.
    var connection: Connection {
        Connection(
            port: port, channel: channel, link: link.link, probe: probe, probeSerial: probeSerial,
            usbSerial: usbSerial, device: device, instance: instance)
    }

    private static func deviceID(_ text: String) throws -> DeviceID {
        guard let id = DeviceID(hexadecimal: text) else {
            throw ValidationError(
                "a device ID is 1 to 64 bytes in hexadecimal, two digits for each")
        }
        return id
    }

    func validate() throws {
        if port == "" { throw ValidationError("--port names no port") }
        if usbSerial == "" { throw ValidationError("--usb-serial names no device") }
        // Its ports are whatever an adapter understands.
        if channel == .adapter { return }
        if let port, let channel, channel != .rtt,
            (channel == .udp) != port.hasPrefix(UDPEndpoint.prefix)
        {
            throw ValidationError("--channel \(channel.rawValue) is not on --port \(port)")
        }
        if channel == .rtt, let port {
            throw ValidationError("--channel rtt is through the probe, not on --port \(port)")
        }
        if channel == .usb, let port, !port.hasPrefix("usb:") {
            throw ValidationError("--channel usb is no port \(port): it is --port usb:1209:0002")
        }
    }
}

extension Platform.ChannelSettings.Kind: ExpressibleByArgument {}
