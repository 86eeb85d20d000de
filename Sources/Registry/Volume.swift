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

    /// How much an error says of the room on the disk.
    enum Want {
        case nothing
        /// It could not be written: for want of room, as with a quota, or for a fault of the disk. SQLite has one
        /// code for both, and some file systems have: a full disk is `EIO` there, and is told late, by `fsync`.
        case possible
        /// The system said so.
        case certain
    }

    /// What is free may be others', as with a quota, or may have been freed since: it counts only where the
    /// error says less.
    func hint(_ want: Want) -> String {
        if fileLimit != nil { return "raise the limit: ulimit -f unlimited" }
        let making = "make room on the disk"
        let isFull = free.map { $0 < Self.least } ?? false
        switch want {
        case .certain: return "\(making), also within this user's quota"
        case .possible where isFull: return making
        case .possible:
            return making
                + ", also within this user's quota; if there is room, the disk itself fails"
        case .nothing:
            return isFull ? making : "check that the file and its folder can be read and written"
        }
    }
}
