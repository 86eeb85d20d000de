/// The devices on this machine's USB, hubs among them.
public enum USBDevices {
    /// Sorted by USB path. Reads what the kernel knows; no device is asked anything.
    ///
    /// - Parameter system: where sysfs is mounted.
    public static func list(system: String = "/sys") -> [USBIdentity] {
        let folder = "\(system)/bus/usb/devices"
        return Directory.names(in: folder).sorted().compactMap { name in
            USBIdentity(folder: "\(folder)/\(name)")
        }
    }
}
