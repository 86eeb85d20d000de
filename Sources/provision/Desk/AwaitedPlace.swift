import Channels
import Foundation
import Platforms
import Provisioning

/// What the user named and is not attached yet: it may just be about to be plugged in.
enum AwaitedPlace: Equatable {
    /// A serial port's path.
    case port(String)
    case interface(USBSelection)
    /// The serial number of a USB device.
    case device(String)

    /// Between two looks.
    private static let pause = Duration.milliseconds(50)

    /// Nil: it is there, or none is named that could come.
    ///
    /// - Parameters:
    ///   - platform: that the user named.
    ///   - isFlashing: whether a port may come with the new firmware: then it is looked for after that.
    /// - Throws: `.usage`, quoting a name that is none of its kind.
    init?(
        _ connection: Connection, of platform: Platform?, isFlashing: Bool
    ) throws(ProvisioningError) {
        let place: AwaitedPlace
        switch try PortAddress(connection, of: platform) {
        case .path(let path) where !isFlashing && path.hasPrefix("/"):
            // In a folder that is none, nothing will ever be.
            guard access(path, F_OK) != 0, errno == ENOENT else { return nil }
            place = .port(path)
        case .usb(let selection) where !isFlashing: place = .interface(selection)
        case nil:
            guard let selection = Self.selection(connection, platform, isFlashing: isFlashing)
            else { return nil }
            place = selection
        default: return nil
        }
        guard place.nodes == nil else { return nil }
        self = place
    }

    private static func selection(
        _ connection: Connection, _ platform: Platform?, isFlashing: Bool
    ) -> AwaitedPlace? {
        if let platform {
            guard platform.emulation == nil else { return nil }
            if connection.channel(of: platform) == .usb {
                guard !isFlashing else { return nil }
                return (platform.channel.usb?.selecting(connection.usbSerial)).map(Self.interface)
            }
        }
        return connection.usbSerial.map(Self.device)
    }

    /// What is to be opened of it. Nil: it is not there.
    private var nodes: [String]? {
        switch self {
        case .port(let path): return access(path, F_OK) == 0 ? [path] : nil
        case .interface(let selection):
            let nodes = USBInterface.list().filter(selection.matches).map(\.node)
            return nodes.isEmpty ? nil : nodes
        case .device(let number):
            let device = AttachedDevice.list().first { $0.hasSerialNumber(number) }
            return device?.ports.map(\.path)
        }
    }

    /// The node of a device that just came is root's until udev has seen it.
    private var isUsable: Bool { nodes?.allSatisfy(Self.isOpen) ?? false }

    private static func isOpen(_ path: String) -> Bool { access(path, R_OK | W_OK) == 0 }

    /// Until it is there, or its time is over: what it is refused for then is said by whoever needs it.
    func wait(
        for platform: Platform?, _ connection: Connection, _ interruption: Interruption
    ) throws(ProvisioningError) {
        let timeouts = (platform?.timeouts ?? Timeouts()).merging(connection.link.timeouts)
        let limit = timeouts[.port]
        let end = ContinuousClock.now + limit
        Terminal.standardError.remark(
            "waiting \(limit.brief) for \(self) to be plugged in; --timeout port=60s waits longer")
        while !isUsable, .now < end { try interruption.pause(for: Self.pause) }
    }
}

extension AwaitedPlace: CustomStringConvertible {
    /// As the user may have written it.
    var description: String {
        switch self {
        case .port(let path): path
        case .interface(let selection): "the USB device \(selection)"
        case .device(let number): "a USB device with the serial number \(number)"
        }
    }
}
