import Channels
import Foundation
import Platforms
import Provisioning

// How the board's firmware is reached.
extension Board {
    /// By what the user said, and else by what the platform file says.
    func makeRoute() throws(ProvisioningError) -> any ChannelRoute {
        switch log {
        case .channel, nil: break
        case .flasher: return MonitorRoute { [unowned self] in monitor }
        case .socket(let endpoint):
            return SocketRoute(
                endpoint, platform.timeouts, isLog: true, interruption: interruption)
        case .listener(let host, let port):
            return ListenerRoute(
                host, port, platform.timeouts, interruption: interruption, reporter: reporter)
        case .standardInput?, .path?:
            return LogRoute(
                log ?? .standardInput, timeout: platform.timeouts.boot, interruption: interruption,
                reporter: reporter
            ) { [unowned self] path in logRoute(to: path) }
        }
        switch try PortAddress(connection, of: platform) {
        case .path: return serialRoute()
        case .socket(let endpoint):
            return SocketRoute(endpoint, platform.timeouts, interruption: interruption)
        case .openOCD(let address):
            return openOCDRoute(to: address)
        case .network(let endpoint):
            return UDPRoute(endpoint, platform.timeouts, interruption: interruption)
        case .usb(let selection):
            return USBRoute(platform, selection: selection, interruption: interruption)
        case .adapter: return try adapterRoute()
        case nil: return try unnamedRoute()
        }
    }

    /// The channel's of the platform, where the user names no port.
    private func unnamedRoute() throws(ProvisioningError) -> any ChannelRoute {
        switch connection.channel(of: platform) {
        case .rtt:
            return RTTRoute(platform) { [unowned self] () throws(ProvisioningError) in
                try hasProbe
            } probe: { [unowned self] () throws(ProvisioningError) in
                try probe()
            } image: { [unowned self] in
                image
            } keep: { [unowned self] () throws(ProvisioningError) in
                try emulator?.keep()
            }
        case .usb:
            guard let usb = platform.channel.usb else { throw USBRoute.unknownDevice(platform) }
            return USBRoute(
                platform, selection: usb.selecting(connection.foundPlace ?? connection.usbSerial),
                interruption: interruption)
        case .udp:
            guard let endpoint = platform.channel.udp else {
                throw ProvisioningError(
                    .usage, "the platform \(platform.name) does not say where the device listens",
                    hint: "name it with --port udp:HOST")
            }
            return UDPRoute(endpoint, platform.timeouts, interruption: interruption)
        case .adapter: return try adapterRoute()
        case .uart: return serialRoute()
        }
    }

    func openOCDRoute(to address: OpenOCDAddress) -> OpenOCDRoute {
        OpenOCDRoute(
            address, platform, image: { [unowned self] in image }, interruption: interruption)
    }

    private func adapterRoute() throws(ProvisioningError) -> any ChannelRoute {
        guard platform.adapter != nil else { throw missingAdapter }
        return AdapterRoute(connection, platform.timeouts) {
            [unowned self] () throws(ProvisioningError) in
            try adapter()
        }
    }

    /// To a tty that only the log comes from: nobody is asked at which rate it answers.
    private func logRoute(to path: String) -> SerialRoute {
        var connection = connection
        connection.port = path
        let route = serialRoute(connection)
        route.asksForRate = false
        return route
    }

    func serialRoute() -> SerialRoute {
        let route = serialRoute(connection)
        // Who only reports answers at none.
        route.asksForRate = log != .channel
        return route
    }

    private func serialRoute(_ connection: Connection) -> SerialRoute {
        SerialRoute(
            platform, connection, interruption: interruption,
            emulatedPort: { [unowned self] in emulator?.uart }, listPorts: listPorts,
            isGreeted: { [reporter] in reporter.hasEnded(.hello) }, reporter: reporter)
    }
}
