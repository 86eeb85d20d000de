import CPlatforms

/// The files of `platforms/` as they were when this was built.
enum BuiltInPlatforms {
    /// Where each lies in the executable, by its path without `.toml`: `microbit`, `families/nrf51`.
    private static let indices: [String: Int] = {
        var indices: [String: Int] = [:]
        var index = 0
        while let name = embedded_platform_at(index).name {
            indices[String(cString: name)] = index
            index += 1
        }
        return indices
    }()

    static func bytes(of path: String) -> [UInt8]? {
        indices[path].map { index in
            let entry = embedded_platform_at(index)
            return Array(UnsafeBufferPointer(start: entry.bytes, count: entry.length))
        }
    }

    /// - Parameter folder: `families` or `tools`; nil: the platforms themselves.
    static func names(in folder: String? = nil) -> [String] {
        guard let folder else { return indices.keys.filter { !$0.contains("/") } }
        let start = "\(folder)/"
        return indices.keys.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
    }
}
