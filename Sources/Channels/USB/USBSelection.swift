public import Provisioning

/// Which USB device, as a platform file or the user says it. Everything that is said must be so.
public struct USBSelection: Sendable, Hashable {
    public let vendorID: UInt16?
    public let productID: UInt16?
    /// The serial number, or the place where it is plugged in: `1-2.4`.
    public let serialNumber: String?
    /// The interface's string.
    public let interface: String?

    public init(
        vendorID: UInt16? = nil, productID: UInt16? = nil, serialNumber: String? = nil,
        interface: String? = nil
    ) {
        self.vendorID = vendorID
        self.productID = productID
        self.serialNumber = serialNumber
        self.interface = interface
    }

    /// What `--port` may say: `usb:1209:0002`, `usb:1209:0002:SERIAL`, `usb:SERIAL`. Nil: `port` is none of
    /// USB.
    ///
    /// - Throws: `.usage` if it names no device.
    public init?(parsing port: String) throws(ProvisioningError) {
        let scheme = "usb:"
        guard port.hasPrefix(scheme) else { return nil }
        let parts = port.dropFirst(scheme.count)
            .split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else {
            guard !parts[0].isEmpty else { throw Self.unreadable(port) }
            self.init(serialNumber: parts[0])
            return
        }
        guard let vendorID = Self.number(parts[0]), let productID = Self.number(parts[1]),
            parts.count == 2 || !parts[2].isEmpty
        else { throw Self.unreadable(port) }
        self.init(
            vendorID: vendorID, productID: productID,
            serialNumber: parts.count > 2 ? parts[2] : nil)
    }

    /// The one of `serialNumber` among them; all where it is nil.
    public func selecting(_ serialNumber: String?) -> USBSelection {
        USBSelection(
            vendorID: vendorID, productID: productID,
            serialNumber: serialNumber ?? self.serialNumber, interface: interface)
    }

    public func matches(_ candidate: USBInterface) -> Bool {
        matches(candidate.device) && (interface == nil || interface == candidate.name)
    }

    /// Whether one of the device's interfaces may be meant.
    public func matches(_ device: USBIdentity) -> Bool {
        (vendorID ?? device.vendorID) == device.vendorID
            && (productID ?? device.productID) == device.productID
            && (serialNumber == nil
                || [device.serialNumber, device.location].contains(serialNumber))
    }

    /// As lsusb writes them: hexadecimal, with or without 0x.
    private static func number(_ text: String) -> UInt16? {
        let digits = text.lowercased().hasPrefix("0x") ? text.dropFirst(2) : text[...]
        guard (1...4).contains(digits.utf8.count), digits.allSatisfy(\.isHexDigit) else {
            return nil
        }
        return UInt16(digits, radix: 16)
    }

    private static func unreadable(_ port: String) -> ProvisioningError {
        ProvisioningError(
            .usage, "\(port) names no USB device",
            hint: "as usb:1209:0002, usb:1209:0002:SERIAL or usb:SERIAL; provision doctor lists "
                + "what is attached")
    }
}

extension USBSelection: CustomStringConvertible {
    /// `1209:0002 SN002, interface "provisioning"`
    public var description: String {
        let numbers = [vendorID, productID].map { $0.map(USBIdentity.digits) ?? "*" }
        let device =
            (vendorID == nil && productID == nil ? [] : [numbers.joined(separator: ":")])
            + [serialNumber].compactMap(\.self)
        return
            ([device.joined(separator: " "), interface.map { "interface \"\($0)\"" } ?? ""]
            .filter { !$0.isEmpty }).joined(separator: ", ")
    }
}
