import CPlatforms

/// The files of `platforms/` as they were when this was built.
enum BuiltInPlatforms {
    static let files: [String: [UInt8]] = {
        var files: [String: [UInt8]] = [:]
        var index = 0
        while case let entry = embedded_platform_at(index), let name = entry.name {
            files[String(cString: name)] = Array(
                UnsafeBufferPointer(start: entry.bytes, count: entry.length))
            index += 1
        }
        return files
    }()
}

/// `platforms/70-provision.rules`, as it was when this was built.
public enum UdevRules {
    public static var builtIn: String {
        let entry = embedded_udev_rules()
        return String(
            decoding: UnsafeBufferPointer(start: entry.bytes, count: entry.length), as: UTF8.self)
    }
}
