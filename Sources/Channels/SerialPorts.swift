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

    /// What a USB device says about itself.
    public struct USBIdentity: Sendable, Hashable, CustomStringConvertible {
        public let vendorID: UInt16
        public let productID: UInt16
        public let serialNumber: String?
        public let product: String?

        /// `0d28:0204 "BBC micro:bit CMSIS-DAP" 9904…`
        public var description: String {
            let numbers = [vendorID, productID].map { number in
                let digits = String(number, radix: 16)
                return String(repeating: "0", count: 4 - digits.count) + digits
            }
            return
                ([numbers.joined(separator: ":")]
                + [product.map { "\"\($0)\"" }, serialNumber]
                .compactMap { $0 }).joined(separator: " ")
        }
    }
}

/// The serial ports that a board may be behind.
public enum SerialPorts {
    /// Built-in `ttyS*` are left out: a PC has 32 of them, and nothing behind any.
    #if canImport(Darwin)
        private static let prefixes = ["cu.usb", "cu.SLAB", "cu.wchusb"]
    #else
        private static let prefixes = [
            "ttyACM", "ttyUSB", "ttyAMA", "ttyTHS", "ttymxc", "ttySAC", "ttyO", "ttyHS", "ttyGS",
            "rfcomm",
        ]
    #endif

    /// An attribute in /sys is one line.
    private static let attributeLimit = 4096

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
            .map { name in
                SerialPortDescription(
                    path: "\(devices)/\(name)", usb: usbIdentity(of: name, system: system))
            }
    }

    private static func usbIdentity(of name: String, system: String)
        -> SerialPortDescription.USBIdentity?
    {
        // The tty hangs below its USB interface, which hangs below the USB device.
        var folder = "\(system)/class/tty/\(name)/device"
        for _ in 0..<4 {
            if let vendorID = number("\(folder)/idVendor"),
                let productID = number("\(folder)/idProduct")
            {
                return SerialPortDescription.USBIdentity(
                    vendorID: vendorID, productID: productID,
                    serialNumber: text("\(folder)/serial"), product: text("\(folder)/product"))
            }
            // The kernel resolves "..", after the symbolic link.
            folder += "/.."
        }
        return nil
    }

    private static func number(_ path: String) -> UInt16? {
        text(path).flatMap { UInt16($0, radix: 16) }
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? FileBytes.read(path, limit: attributeLimit) else { return nil }
        let text = PlainText.sanitized(bytes)
        return text.isEmpty ? nil : text
    }
}
