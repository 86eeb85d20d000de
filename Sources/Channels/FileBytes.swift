#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Files read whole, up to a limit.
enum FileBytes {
    static let noFile = SystemError(EINVAL)
    static let tooLarge = SystemError(EFBIG)

    /// As `read`, of a file that has an end, found out before anything is read.
    ///
    /// - Throws: `noFile` if it is a device, a pipe or a socket; `EISDIR`; `tooLarge`.
    static func readRegular(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .last }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw SystemError(EISDIR)
        default: throw noFile
        }
        guard status.st_size <= limit else { throw tooLarge }
        return try read(path, limit: limit)
    }

    /// At most `limit` bytes from its beginning.
    static func readStart(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last }
        defer { closeDescriptor(descriptor) }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = readBytes(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw .last }
        return Array(buffer[..<count])
    }

    /// - Throws: `tooLarge` if there are more than `limit` bytes.
    static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last }
        defer { closeDescriptor(descriptor) }
        var bytes: [UInt8] = []
        // An array that grows is there twice while it does. The size is a hint: a pipe has none.
        var status = stat()
        let size = fstat(descriptor, &status) == 0 ? min(Int(status.st_size), limit) : 0
        bytes.reserveCapacity(size)
        var buffer = [UInt8](repeating: 0, count: size > 0 ? min(size + 1, 1 << 16) : 1 << 12)
        while true {
            let count = readBytes(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw .last
            }
            guard bytes.count + count <= limit else { throw tooLarge }
            bytes += buffer[..<count]
        }
    }
}

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
