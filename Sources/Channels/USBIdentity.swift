#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a USB device says about itself.
public struct USBIdentity: Sendable, Hashable, CustomStringConvertible {
    public let vendorID: UInt16
    public let productID: UInt16
    public let serialNumber: String?
    public let product: String?
    /// The kernel's name for the place where it is plugged in: `1-2.4`.
    public let location: String?

    /// An attribute in /sys is one line.
    private static let attributeLimit = 4096

    /// Reads a device's folder in sysfs; nil if it is none.
    init?(folder: String) {
        guard let vendorID = Self.number("\(folder)/idVendor"),
            let productID = Self.number("\(folder)/idProduct")
        else { return nil }
        self.vendorID = vendorID
        self.productID = productID
        serialNumber = Self.text("\(folder)/serial")
        product = Self.text("\(folder)/product")
        location = Self.location(folder)
    }

    /// `0d28:0204 "BBC micro:bit CMSIS-DAP" 9904…`
    public var description: String {
        ([numbers] + [product.map { "\"\($0)\"" }, serialNumber].compactMap { $0 })
            .joined(separator: " ")
    }

    /// Vendor and product, as everybody writes them: `0d28:0204`.
    public var numbers: String {
        [vendorID, productID].map { number in
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 4 - digits.count) + digits
        }.joined(separator: ":")
    }

    private static func location(_ folder: String) -> String? {
        guard let path = realpath(folder, nil) else { return nil }
        defer { free(path) }
        return String(cString: path).split(separator: "/").last.map(String.init)
    }

    /// Of an interface's folder in sysfs; nil if it is none.
    static func interfaceNumber(folder: String) -> Int? {
        number("\(folder)/bInterfaceNumber").map(Int.init)
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
