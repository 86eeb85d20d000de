/// What has to be on a Linux machine so that its users may open USB devices.
public enum USBRules {
    /// Before 73-seat-late.rules, which acts on the tag.
    public static let path = "/etc/udev/rules.d/70-provision.rules"

    /// The rule for one device: whoever sits at the machine may use it, and the group plugdev.
    public static func rule(vendorID: UInt16, productID: UInt16?) -> String {
        let product = productID.map { ", ATTR{idProduct}==\"\(USBIdentity.digits($0))\"" } ?? ""
        return "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", "
            + "ATTR{idVendor}==\"\(USBIdentity.digits(vendorID))\"\(product), "
            + "MODE=\"0660\", GROUP=\"plugdev\", TAG+=\"uaccess\""
    }

    /// The commands that let the user open `device`.
    public static func hint(for device: USBIdentity) -> String {
        "install the udev rule: provision doctor --udev-rules "
            + "\(device.numbers) | sudo tee \(path) "
            + "&& sudo udevadm control --reload && sudo udevadm trigger; then plug the board in again"
    }
}
