#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A serial port of this machine, and the USB device behind it.
public struct SerialPortDescription: Sendable, Hashable {
    /// `/dev/ttyACM0`
    public let path: String
    public let usb: USBIdentity?
    /// The USB interface's number: it tells the ports of one device apart.
    public let interface: Int?
}

/// The serial ports that a board may be behind.
public enum SerialPorts {
    /// Built-in `ttyS*` are left out: a PC has 32 of them, and nothing behind any. So are `ttyGS*`: they are this
    /// machine's own end where it is itself a USB device, and a board is at the other.
    #if canImport(Darwin)
        private static let prefixes = ["cu.usb", "cu.SLAB", "cu.wchusb"]
    #else
        private static let prefixes = [
            "ttyACM", "ttyUSB", "ttyAMA", "ttyTHS", "ttymxc", "ttySAC", "ttyO", "ttyHS", "rfcomm",
        ]
    #endif

    /// Sorted by kind and number.
    ///
    /// - Parameters:
    ///   - devices: the folder of device nodes.
    ///   - system: where sysfs is mounted. What it lacks is nil.
    public static func list(devices: String = "/dev", system: String = "/sys")
        -> [SerialPortDescription]
    {
        Directory.names(in: devices)
            .filter { name in prefixes.contains { name.hasPrefix($0) } }
            .sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
            .map { name in description(of: name, devices: devices, system: system) }
    }

    private static func description(
        of name: String, devices: String, system: String
    ) -> SerialPortDescription {
        // The tty hangs below its USB interface, which hangs below the USB device.
        var folder = "\(system)/class/tty/\(name)/device"
        var usb: USBIdentity?
        var interface: Int?
        for _ in 0..<4 where usb == nil {
            usb = USBIdentity(folder: folder)
            interface = interface ?? USBIdentity.interfaceNumber(folder: folder)
            // The kernel resolves "..", after the symbolic link.
            folder += "/.."
        }
        return SerialPortDescription(
            path: "\(devices)/\(name)", usb: usb, interface: usb == nil ? nil : interface)
    }
}
