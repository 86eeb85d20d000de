#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Names in a folder, sorted, without `.` and `..`; none if it cannot be read.
enum Directory {
    /// More entries than a sound /dev or /proc has.
    private static let maximumCount = 100_000

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while names.count < maximumCount, let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
