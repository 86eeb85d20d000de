#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What is plugged into this machine and may be a board, or lead to one: a USB device with the serial
/// ports that it offers, or a serial port that is no USB device.
///
/// A board whose debug probe carries its serial port, too, is one device.
public struct AttachedDevice: Sendable, Hashable {
    /// Nil: a serial port of another kind.
    public let usb: USBIdentity?
    /// In the order of their names.
    public let ports: [SerialPortDescription]

    public var isProbe: Bool { usb.map(DebugProbes.isProbe) ?? false }

    /// All there is, USB hubs and keyboards among them. Nothing is opened: a board that resets when its
    /// port is opened goes on.
    ///
    /// - Parameters:
    ///   - devices: the folder of device nodes.
    ///   - system: where sysfs is mounted.
    public static func list(devices: String = "/dev", system: String = "/sys") -> [AttachedDevice] {
        let ports = SerialPorts.list(devices: devices, system: system)
        let onUSB = USBDevices.list(system: system)
        let known = onUSB.map { identity in
            AttachedDevice(usb: identity, ports: ports.filter { isSame($0.usb, identity) })
        }
        // A port whose device is not listed: of another bus, or of a system that lists no devices.
        let others = ports.filter { port in !onUSB.contains { isSame(port.usb, $0) } }
        return known
            + others.map { port in
                AttachedDevice(usb: port.usb, ports: [port])
            }
    }

    private static func isSame(_ a: USBIdentity?, _ b: USBIdentity) -> Bool {
        guard let a else { return false }
        return a.sharesPlace(with: b) ?? (a == b)
    }

    /// Whether the user means it by this serial number. Some tools leave out zeros in front.
    public func hasSerialNumber(_ number: String) -> Bool {
        guard let own = usb?.serialNumber else { return false }
        return own == number || Self.isSameNumber(own, number)
    }

    private static func isSameNumber(_ a: String, _ b: String) -> Bool {
        let areNumbers = [a, b].allSatisfy { text in
            !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard areNumbers else { return false }
        return a.drop { $0 == "0" } == b.drop { $0 == "0" }
    }

    /// Whether one of its ports is at `path`, also by way of a link such as `/dev/serial/by-id/…`.
    public func hasPort(_ path: String) -> Bool {
        let node = Self.node(path)
        return ports.contains { $0.path == path || (node != nil && Self.node($0.path) == node) }
    }

    private static func node(_ path: String) -> String? {
        guard let node = realpath(path, nil) else { return nil }
        defer { free(node) }
        return String(cString: node)
    }
}
