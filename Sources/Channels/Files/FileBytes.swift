#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Files read whole, up to a limit.
package enum FileBytes {
    package static let noFile = SystemError(EINVAL)
    package static let tooLarge = SystemError(EFBIG)

    /// As `read`, of a file that has an end, found out before anything is read.
    ///
    /// - Throws: `noFile` if it is a device, a pipe or a socket; `EISDIR`; `tooLarge`.
    package static func readRegular(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
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

    /// - Parameters:
    ///   - limit: bytes that it may have.
    ///   - waits: whether for a pipe's writer, as a shell's `<(…)` is one. Else what is not there yet is
    ///     missing: the end where nobody has opened it to write, `EAGAIN` where somebody has.
    /// - Throws: `tooLarge` if there are more than `limit` bytes; `EISDIR`.
    package static func read(
        _ path: String, limit: Int, waits: Bool = false
    ) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (waits ? 0 : O_NONBLOCK))
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
