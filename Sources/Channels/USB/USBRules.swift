/// What has to be on a Linux machine so that its users may open USB devices.
public enum USBRules {
    /// Before 73-seat-late.rules, which acts on the tag.
    public static let path = "/etc/udev/rules.d/70-provision.rules"

    /// The rule for one device: whoever sits at the machine may use it, and the group plugdev.
    public static func rule(vendorID: UInt16, productID: UInt16?) -> String {
        let product = productID.map { ", ATTR{idProduct}==\"\(hexadecimal($0))\"" } ?? ""
        return "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", "
            + "ATTR{idVendor}==\"\(hexadecimal(vendorID))\"\(product), "
            + "MODE=\"0660\", GROUP=\"plugdev\", TAG+=\"uaccess\""
    }

    /// The commands that let the user open `device`.
    public static func hint(for device: USBIdentity) -> String {
        "install the udev rule: provision doctor --udev-rules "
            + "\(hexadecimal(device.vendorID)):\(hexadecimal(device.productID)) | sudo tee \(path) "
            + "&& sudo udevadm control --reload && sudo udevadm trigger; then plug the board in again"
    }

    private static func hexadecimal(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
