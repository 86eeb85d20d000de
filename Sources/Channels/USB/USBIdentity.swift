/// What a USB device says about itself.
public struct USBIdentity: Sendable, Hashable, CustomStringConvertible {
    public let vendorID: UInt16
    public let productID: UInt16
    public let serialNumber: String?
    public let product: String?
    /// The kernel's name for the place where it is plugged in: `1-2.4`.
    public let location: String?

    /// Reads a device's folder in sysfs; nil if it is none.
    init?(folder: String) {
        guard let vendorID = USBAttribute.number("\(folder)/idVendor"),
            let productID = USBAttribute.number("\(folder)/idProduct")
        else { return nil }
        self.vendorID = vendorID
        self.productID = productID
        serialNumber = USBAttribute.text("\(folder)/serial")
        product = USBAttribute.text("\(folder)/product")
        location = USBAttribute.target(folder)
    }

    /// `0d28:0204 "BBC micro:bit CMSIS-DAP" 9904…`
    public var description: String {
        ([numbers] + [product.map { "\"\($0)\"" }, serialNumber].compactMap { $0 })
            .joined(separator: " ")
    }

    /// Vendor and product, as everybody writes them: `0d28:0204`.
    public var numbers: String { "\(Self.digits(vendorID)):\(Self.digits(productID))" }

    /// Whether both are plugged in at one place: nobody moves a board while it is worked on, its firmware
    /// may give it another name and number, and some chips share a serial number. Nil where a place is not
    /// known.
    package func sharesPlace(with other: USBIdentity) -> Bool? {
        guard let location, let place = other.location else { return nil }
        return location == place
    }

    /// Four of them, hexadecimal.
    public static func digits(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Of an interface's folder in sysfs; nil if it is none.
    static func interfaceNumber(folder: String) -> Int? {
        USBAttribute.number("\(folder)/bInterfaceNumber").map(Int.init)
    }
}
