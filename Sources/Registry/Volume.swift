import Foundation

/// The disk that a file is on, for messages: SQLite's "disk I/O error" does not say which.
struct Volume: CustomStringConvertible {
    /// Bytes that this user may still write; nil where the system does not say.
    private let free: Int64?
    /// Bytes that one file may have at most for this process; nil without a limit.
    private let fileLimit: UInt64?

    /// SQLite needs some pages at once.
    private static let least: Int64 = 1 << 20

    init(of path: String) {
        var status = statvfs()
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        free =
            statvfs(folder, &status) == 0
            ? Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize)) : nil
        var limit = rlimit()
        #if canImport(Glibc)
            let found = getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        #else
            let found = getrlimit(RLIMIT_FSIZE, &limit)
        #endif
        fileLimit = found == 0 && limit.rlim_cur < UInt64(Int64.max) ? UInt64(limit.rlim_cur) : nil
    }

    var description: String {
        let room = free.map { "\($0) bytes are free on its disk" } ?? "its disk can't be asked"
        return fileLimit.map { "\(room), files may have \($0)" } ?? room
    }

    /// - Parameter isFull: whether the system said so. What is free may be others', as with a quota, or may
    ///   have been freed since.
    func hint(isFull: Bool) -> String {
        if fileLimit != nil { return "raise the limit: ulimit -f unlimited" }
        if isFull { return "make room on the disk, also within this user's quota" }
        if let free, free < Self.least { return "make room on the disk" }
        return "check that the file and its folder can be read and written"
    }
}
