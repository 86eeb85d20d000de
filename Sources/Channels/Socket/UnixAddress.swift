#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The address of a unix socket, also of one whose path is longer than an address takes (108 bytes on
/// Linux, 104 on macOS): there it goes through the open folder, where the system has such names.
final class UnixAddress {
    private var address = sockaddr_un()
    private var folder: Int32 = -1

    /// Nil: the path is too long.
    init?(_ path: String) {
        address.sun_family = sa_family_t(AF_UNIX)
        if set(path) { return }
        #if os(Linux)
            guard let slash = path.lastIndex(of: "/"), !path.utf8.contains(0) else { return nil }
            folder = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard folder >= 0, set("/proc/self/fd/\(folder)\(path[slash...])") else { return nil }
        #else
            return nil
        #endif
    }

    deinit { if folder >= 0 { closeDescriptor(folder) } }

    func withPointer<Result, Failure: Error>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        return try withUnsafePointer(to: address) { pointer throws(Failure) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                pointer throws(Failure) in
                try body(pointer, size)
            }
        }
    }

    private func set(_ path: String) -> Bool {
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count, !path.utf8.contains(0) else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
    }
}
