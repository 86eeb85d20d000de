import Foundation

/// The floor of a durable change: one page appended to a file, and made durable.
enum RawDisk {
    /// Bytes: a page of SQLite.
    private static let pageLength = 4096

    /// Pages made durable in a second, one after the other.
    static func durableWritesPerSecond(in folder: URL, count: Int) throws -> Double {
        let path = folder.appending(path: "pages").path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("\(path) can't be made: \(errno)") }
        defer {
            close(descriptor)
            unlink(path)
        }
        let page = [UInt8](repeating: 0x5A, count: pageLength)
        let seconds = try Bench.seconds {
            for _ in 0..<count {
                guard write(descriptor, page, page.count) == page.count, fsync(descriptor) == 0
                else { throw Failure("\(path) can't be written: \(errno)") }
            }
        }
        return Double(count) / seconds
    }
}
