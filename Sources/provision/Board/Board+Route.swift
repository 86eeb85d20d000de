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
        case .standardInput?, .path?:
            return LogRoute(
                log ?? .standardInput,
                baud: connection.link.baud.map { Int($0[0]) } ?? platform.channel.baudRates[0],
                timeout: platform.timeouts.boot, interruption: interruption)
        }
        // Its ports are whatever the adapter understands.
        if platform.adapter != nil, (connection.channel ?? platform.channel.kind) == .adapter {
            return AdapterRoute(connection, platform.timeouts) {
                [unowned self] () throws(ProvisioningError) in
                try adapter()
            }
        }
        if let openOCD = try OpenOCDRoute(connection.port, platform, interruption: interruption) {
            return openOCD
        }
        if let socket = try SocketRoute.endpoint(connection.port) {
            return SocketRoute(
                socket, platform.timeouts, interruption: interruption)
        }
        if let endpoint = try UDPRoute.endpoint(connection.port) {
            return UDPRoute(endpoint, platform.timeouts, interruption: interruption)
        }
        if let named = try USBSelection(parsing: connection.port ?? "") {
            return USBRoute(platform, selection: named, interruption: interruption)
        }
        // A port that the user names is one, whatever the platform file says.
        switch connection.port == nil ? connection.channel ?? platform.channel.kind : .uart {
        case .rtt:
            return RTTRoute(platform) { [unowned self] () throws(ProvisioningError) in
                try hasProbe
            } probe: { [unowned self] () throws(ProvisioningError) in
                try probe()
            } keep: { [unowned self] () throws(ProvisioningError) in
                try emulator?.keep()
            }
        case .usb:
            guard let usb = platform.channel.usb else { throw USBRoute.unknownDevice(platform) }
            return USBRoute(
                platform, selection: usb.selecting(connection.usbSerial),
                interruption: interruption)
        case .udp:
            guard let endpoint = platform.channel.udp else {
                throw ProvisioningError(
                    .usage, "the platform \(platform.name) does not say where the device listens",
                    hint: "name it with --port udp:HOST")
            }
            return UDPRoute(endpoint, platform.timeouts, interruption: interruption)
        case .adapter:
            throw ProvisioningError(
                .usage, "the platform \(platform.name) has no adapter",
                hint: "leave --channel adapter away")
        case .uart: return serialRoute()
        }
    }

    func serialRoute() -> SerialRoute {
        let route = SerialRoute(
            platform, connection, interruption: interruption,
            emulatedPort: { [unowned self] in emulator?.uart }, listPorts: listPorts,
            isGreeted: { [reporter] in reporter.hasEnded(.hello) }, reporter: reporter)
        // Who only reports answers at none.
        route.asksForRate = log != .channel
        return route
    }
}
