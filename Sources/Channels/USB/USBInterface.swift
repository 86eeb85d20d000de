#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A vendor interface with one bulk endpoint in each direction, as sysfs shows it: also to those who may not
/// open its device.
public struct USBInterface: Sendable, Hashable {
    public let device: USBIdentity
    /// bInterfaceNumber.
    public let number: UInt8
    /// The interface's string; nil where its descriptor names none.
    public let name: String?
    /// The kernel's driver that has it: `usbfs` is another process. Nil: it is free.
    public let driver: String?
    /// Where libusb opens the device: `/dev/bus/usb/001/002`.
    public let node: String
    let input: Endpoint
    let output: Endpoint

    struct Endpoint: Sendable, Hashable {
        /// bEndpointAddress: the direction is its highest bit.
        let address: UInt8
        /// Octets, the lower 11 bits of wMaxPacketSize: 1 to 1024.
        let packetSize: Int
    }

    /// USB 2.0 §9.6.5, and "USB Class Codes": 0xFF is vendor specific.
    private static let vendorClass: UInt16 = 0xFF

    /// Every one that is attached, sorted by place.
    ///
    /// - Parameter system: where sysfs is mounted.
    public static func list(system: String = "/sys", devices: String = "/dev") -> [USBInterface] {
        let folder = "\(system)/bus/usb/devices"
        // Interfaces have a colon behind the device's name: 1-2.4:1.0.
        let names = Directory.names(in: folder).filter { $0.contains(":") }
        return names.sorted(by: USBDevices.isBefore).compactMap { name in
            let deviceName = String(name.prefix { $0 != ":" })
            guard let device = USBIdentity(folder: "\(folder)/\(deviceName)"),
                let node = node(of: "\(folder)/\(deviceName)", devices: devices)
            else { return nil }
            return USBInterface(folder: "\(folder)/\(name)", of: device, at: node)
        }
    }

    private init?(folder: String, of device: USBIdentity, at node: String) {
        guard USBAttribute.number("\(folder)/bInterfaceClass") == Self.vendorClass,
            let number = USBAttribute.number("\(folder)/bInterfaceNumber"), number <= 0xFF
        else { return nil }
        let bulk = Directory.names(in: folder).filter { $0.hasPrefix("ep_") }
            .compactMap { Self.bulkEndpoint("\(folder)/\($0)") }
        let inputs = bulk.filter { $0.address & 0x80 != 0 }
        let outputs = bulk.filter { $0.address & 0x80 == 0 }
        guard inputs.count == 1, outputs.count == 1 else { return nil }
        self.device = device
        self.number = UInt8(number)
        self.node = node
        name = USBAttribute.text("\(folder)/interface")
        driver = USBAttribute.target("\(folder)/driver")
        input = inputs[0]
        output = outputs[0]
    }

    private static func bulkEndpoint(_ folder: String) -> Endpoint? {
        guard USBAttribute.text("\(folder)/type") == "Bulk",
            let address = USBAttribute.number("\(folder)/bEndpointAddress"), address <= 0xFF,
            let size = USBAttribute.number("\(folder)/wMaxPacketSize"), size & 0x7FF > 0
        else { return nil }
        return Endpoint(address: UInt8(address), packetSize: min(Int(size & 0x7FF), 1024))
    }

    private static func node(of folder: String, devices: String) -> String? {
        guard let bus = USBAttribute.decimal("\(folder)/busnum"),
            let address = USBAttribute.decimal("\(folder)/devnum")
        else { return nil }
        let parts = [bus, address].map { number in
            let digits = String(number)
            return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
        }
        return "\(devices)/bus/usb/\(parts[0])/\(parts[1])"
    }
}

extension USBInterface: CustomStringConvertible {
    /// `1209:0002 "sensor" SN002 at 1-2.4, interface 0 "provisioning"`
    public var description: String {
        "\(device)\(device.location.map { " at \($0)" } ?? ""), interface \(number)"
            + (name.map { " \"\($0)\"" } ?? "")
    }
}

/// An attribute of a USB device, interface or endpoint: a file of one line in sysfs.
enum USBAttribute {
    private static let limit = 4096

    static func text(_ path: String) -> String? {
        guard let bytes = try? FileBytes.read(path, limit: limit) else { return nil }
        let text = PlainText.sanitized(bytes)
        return text.isEmpty ? nil : text
    }

    /// sysfs writes descriptors' fields in hexadecimal, with neither prefix nor sign.
    static func number(_ path: String) -> UInt16? { text(path).flatMap { UInt16($0, radix: 16) } }

    static func decimal(_ path: String) -> UInt16? { text(path).flatMap { UInt16($0) } }

    /// The last part of what a symbolic link leads to.
    static func target(_ path: String) -> String? {
        guard let path = realpath(path, nil) else { return nil }
        defer { free(path) }
        return String(cString: path).split(separator: "/").last.map(String.init)
    }
}
