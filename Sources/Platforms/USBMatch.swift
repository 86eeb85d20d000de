public import Channels
import Provisioning

/// A USB device that is a platform's board, or carries its debug probe.
public struct USBMatch: Sendable, Hashable {
    public let vendorID: UInt16
    /// Nil: any, if the rest agrees.
    public let productID: UInt16?
    /// A part of the product string.
    public let text: String?
    /// How the serial number begins.
    public let serialPrefix: String?
    /// The USB interface with the board's serial port, where the device has several.
    public let interface: Int?

    /// What agrees, for people: `USB 0d28:0204, product "BBC micro:bit CMSIS-DAP"`. Nil: it is another
    /// device.
    public func reason(for usb: USBIdentity) -> String? {
        guard usb.vendorID == vendorID, productID == nil || usb.productID == productID else {
            return nil
        }
        var reason = "USB \(usb.numbers)"
        if let text {
            guard let product = usb.product, product.contains(text) else { return nil }
            reason += ", product \"\(product)\""
        }
        if let serialPrefix {
            guard let number = usb.serialNumber, number.hasPrefix(serialPrefix) else { return nil }
            reason += ", serial number \(serialPrefix)…"
        }
        return reason
    }

    /// What does not agree, for people; nil: all does.
    public func obstacle(for usb: USBIdentity) -> String? {
        guard usb.vendorID == vendorID, productID == nil || usb.productID == productID else {
            let wanted =
                USBIdentity.digits(vendorID) + ":"
                + (productID.map(USBIdentity.digits) ?? "any product")
            return "USB \(usb.numbers) is not \(wanted)"
        }
        if let text, usb.product?.contains(text) != true {
            return "its product string \(usb.product.map { "\"\($0)\"" } ?? "is missing and")"
                + " does not contain \"\(text)\""
        }
        if let serialPrefix, usb.serialNumber?.hasPrefix(serialPrefix) != true {
            return "its serial number \(usb.serialNumber ?? "is missing and")"
                + " does not begin with \(serialPrefix)"
        }
        return nil
    }

    /// Which of the device's serial ports is the board's. Nil: it has none, or nothing says which.
    public func port(of device: AttachedDevice) -> SerialPortDescription? {
        let ports = device.ports.filter { interface == nil || $0.interface == interface }
        return ports.count == 1 ? ports[0] : nil
    }
}

extension Platform {
    /// The first of the matches that `device` agrees with, and why; nil: it is no such board, as far as USB
    /// tells.
    public func match(_ device: AttachedDevice) -> (rule: USBMatch, reason: String)? {
        guard let usb = device.usb else { return nil }
        for rule in usbMatches {
            if let reason = rule.reason(for: usb) { return (rule, reason) }
        }
        return nil
    }

    /// Whether USB's numbers tell the board itself, where its firmware is spoken to over USB.
    public var isKnownByChannel: Bool {
        guard channel.kind == .usb, let usb = channel.usb else { return false }
        // A vendor alone is every device of a vendor.
        return usb.serialNumber != nil || usb.productID != nil
    }

    /// Why `device` is the board itself, by its `[channel.usb]`; nil: it is not, as far as USB tells without its
    /// being opened. A debug probe in `[match]` may be plugged in beside it.
    public func channelReason(for device: AttachedDevice) -> String? {
        guard isKnownByChannel, let selection = channel.usb, let usb = device.usb,
            selection.matches(usb)
        else { return nil }
        return "USB \(usb.numbers), as [channel.usb] says"
            + (selection.serialNumber.map { ", which is \($0)" } ?? "")
    }

    static func usbMatches(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> [USBMatch] {
        guard let section = try root.section(.match, keys: MatchKey.self) else { return [] }
        guard let tables = try section.sections(.usb, keys: USBMatchKey.self) else {
            throw section.missing(.usb)
        }
        guard !tables.isEmpty else {
            throw section.invalid(
                .usb, "\"usb\" names no device",
                hint: "add one, as { vendor = 0x0d28, product = 0x0204 }, or leave [match] away")
        }
        var matches: [USBMatch] = []
        for table in tables {
            let match = try USBMatch(table)
            guard !matches.contains(match) else {
                throw section.invalid(
                    .usb, "\"usb\" has one device twice", hint: "leave one of the two away")
            }
            matches.append(match)
        }
        return matches
    }
}

extension USBMatch: CustomStringConvertible {
    /// `USB 0d28:0204, serial number 9900…`
    public var description: String {
        let product = productID.map(USBIdentity.digits) ?? "any product"
        return "USB \(USBIdentity.digits(vendorID)):\(product)"
            + (text.map { ", product string with \"\($0)\"" } ?? "")
            + (serialPrefix.map { ", serial number \($0)…" } ?? "")
    }
}

extension USBMatch {
    /// Characters: a string descriptor has at most 126. USB 2.0 §9.6.7.
    private static let textLimit = 126

    init(_ section: PlatformSection<USBMatchKey>) throws(ProvisioningError) {
        guard let vendor = try section.integer(.vendor, in: 0...0xFFFF) else {
            throw section.missing(.vendor)
        }
        vendorID = UInt16(vendor)
        productID = try section.integer(.product, in: 0...0xFFFF).map(UInt16.init)
        text = try section.string(.text, atMost: Self.textLimit)
        serialPrefix = try section.string(.serial, atMost: Self.textLimit)
        interface = try section.integer(.interface, in: 0...0xFF)
        guard productID != nil || text != nil || serialPrefix != nil else {
            throw section.invalid(
                .vendor, "\"vendor\" alone is every device of a vendor",
                hint: "say which with \"product\", \"text\" or \"serial\"")
        }
    }
}
