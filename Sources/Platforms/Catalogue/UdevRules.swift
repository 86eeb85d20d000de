import CPlatforms

/// `platforms/70-provision.rules`, as it was when this was built.
public enum UdevRules {
    public static var builtIn: String {
        let entry = embedded_udev_rules()
        return String(
            decoding: UnsafeBufferPointer(start: entry.bytes, count: entry.length), as: UTF8.self)
    }
}
