/// The devices on this machine's USB, hubs among them.
public enum USBDevices {
    /// Sorted by place, as the sockets are counted. Reads what the kernel knows; no device is asked anything.
    ///
    /// - Parameter system: where sysfs is mounted.
    public static func list(system: String = "/sys") -> [USBIdentity] {
        let folder = "\(system)/bus/usb/devices"
        return Directory.names(in: folder).sorted(by: isBefore).compactMap { name in
            USBIdentity(folder: "\(folder)/\(name)")
        }
    }

    /// `1-2.3` is before `1-2.10`, and a hub before what is plugged into it.
    static func isBefore(_ name: String, _ other: String) -> Bool {
        numbers(name).lexicographicallyPrecedes(numbers(other))
    }

    private static func numbers(_ name: String) -> [Int] {
        name.split { !$0.isASCII || !$0.isNumber }.map { Int($0) ?? .max }
    }
}
