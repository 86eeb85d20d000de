import Foundation
import GRDB
import Provisioning

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension SQLiteRegistry {
    /// What an opened registry is for.
    public enum Access: Sendable, Hashable {
        /// Of one that is there, and stays as it is. Also where nothing may be written: a backup, a
        /// read-only file system.
        case reading
        /// Of one that is there.
        case changing
        /// A registry is made if there is none.
        case writing
    }

    /// Opens the file for use: for writing one is made if there is none, and its schema is brought up to
    /// date.
    static func open(_ path: String, for access: Access) throws -> Connections {
        if access != .writing { try requireFile(path) }
        if access == .reading, isReadOnly(path) {
            return Connections(pool: try openReadOnly(path), last: nil)
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if access == .writing { try makeFolder(folder) }
        // SQLite answers "busy" at once, without waiting, to some of what happens while a file is
        // made and switched to WAL. The lock goes with the descriptor, also if the process dies.
        let lock = try lock(folder)
        defer { close(lock) }
        try checkFile(path)
        if access == .writing, FileStatus(path) == nil { try make(path, in: lock) }
        if access == .reading { return try openUnchanged(path) }
        let first = try migrated(path)
        let noted = HeadFile(registry: path).read()
        let pool = try DatabasePool(path: path, configuration: configuration)
        // GRDB chooses NORMAL for WAL, which may lose the last commits at power loss.
        let synchronous = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // A long export makes the log grow; afterwards it gives the disk back.
            try database.execute(sql: "PRAGMA journal_size_limit = \(logSizeLimit)")
            try checkHead(noted, path, database)
            return try Int.fetchOne(database, sql: "PRAGMA synchronous")
        }
        // Not before: whoever closes a registry last ends its log, and the next one begins a new one.
        try first.close()
        guard synchronous == 2 else {
            throw ProvisioningError(
                .registryUnavailable, "\(path): SQLite does not write synchronously")
        }
        return Connections(pool: pool, last: nil)
    }

    /// The log must still contain what was noted, which costs one look-up.
    ///
    /// - Parameter note: read before `database` was: others go on writing.
    static func checkHead(
        _ note: HeadFile.Note, _ path: String, _ database: Database
    ) throws {
        guard case .end(let noted) = note, noted.sequenceNumber > 0 else { return }
        let statement = try database.cachedStatement(
            sql: "SELECT seq, hash FROM event WHERE seq = ?")
        let found = try LogHead.fetchOne(statement, [noted.sequenceNumber])
        guard found != noted else { return }
        let end = try EventLog.head(of: database).sequenceNumber
        let reason =
            end < noted.sequenceNumber
            ? "\(path) ends at event \(end), it had \(noted.sequenceNumber) before"
            : "event \(noted.sequenceNumber) of \(path) is not the one that was there before"
        throw ProvisioningError(
            .registryDamaged, reason, hint: HeadFile(registry: path).hintToRestore(path))
    }

    /// Bytes that the write-ahead log keeps when SQLite begins it anew.
    private static let logSizeLimit = 64 << 20

    static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "registry"
        // SQLite's own handler sleeps for up to 100 ms: with many writers, some starve.
        configuration.busyMode = .callback(waitsForOthers)
        configuration.foreignKeysEnabled = true
        return configuration
    }

    /// - Throws: `.notFound` if there is no registry and never was; `.registryDamaged` if there was one.
    private static func requireFile(_ path: String) throws(ProvisioningError) {
        guard FileStatus(path) == nil else { return }
        let error = errno
        guard error == ENOENT else {
            throw ProvisioningError(
                .registryUnavailable,
                "\(path) can't be opened: \(String(cString: strerror(error)))",
                hint: "let this user read its folder, or name another place with PROVISION_HOME")
        }
        try refuseLostLink(path)
        try HeadFile(registry: path).checkNothingIsLost(path)
        throw ProvisioningError(
            .notFound, "there is no registry \(path)",
            hint: "is PROVISION_HOME right? the first device that is provisioned makes a registry")
    }

    private static func makeFolder(_ folder: String) throws(ProvisioningError) {
        guard mkdir(folder, 0o700) != 0, errno != EEXIST || FileStatus(folder)?.isFolder != true
        else { return }
        let parent = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        if errno == ENOENT, parent != folder {
            try makeFolder(parent)
            guard mkdir(folder, 0o700) != 0, errno != EEXIST else { return }
        }
        let error = errno
        throw ProvisioningError(
            .registryUnavailable,
            "the folder \(folder) can't be made: \(String(cString: strerror(error)))",
            hint: error == ENOSPC
                ? "make room on the disk" : "name another place with PROVISION_HOME")
    }

    /// - Throws: `.registryUnavailable` if a file that exists may not be written; `.registryDamaged` if
    ///   there is none, or an empty one, where there was one.
    ///
    /// A file that exists is not opened: closing it would end the POSIX locks that SQLite holds for
    /// another connection of this process.
    private static func checkFile(_ path: String) throws(ProvisioningError) {
        guard let status = FileStatus(path) else {
            try refuseLostLink(path)
            return try HeadFile(registry: path).checkNothingIsLost(path)
        }
        if status.isFolder || access(path, R_OK | W_OK) != 0 {
            throw unwritable(path, status.isFolder ? EISDIR : errno)
        }
        // It gets its name when it is complete, so this is not one that is being made.
        guard status.length > 0 else {
            throw ProvisioningError(
                .registryDamaged, "\(path) is empty, and a registry never is",
                hint: "put back the newest copy; if there never was one, remove the file")
        }
    }

    /// A link whose target is gone, with its disk perhaps: a new registry in its place would know no device.
    private static func refuseLostLink(_ path: String) throws(ProvisioningError) {
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
            return
        }
        throw ProvisioningError(
            .registryUnavailable, "\(path) is a link to \(target), which is not there",
            hint: "mount the disk that it is on, or put it back; to begin anew, remove the link")
    }

    private static func unwritable(_ path: String, _ error: Int32) -> ProvisioningError {
        let hint =
            switch error {
            case ENOSPC, EDQUOT: "make room on the disk"
            case EISDIR: "a folder stands where the file should be: move it away"
            default:
                "make the file and its folder writable for this user, or name another place with "
                    + "PROVISION_HOME"
            }
        return ProvisioningError(
            .registryUnavailable,
            "\(path) can't be opened for writing: \(String(cString: strerror(error)))", hint: hint)
    }

    /// Makes an empty registry, whole or not at all: a process that dies meanwhile leaves a file under
    /// another name, which the next one replaces.
    ///
    /// - Parameter folder: where it belongs, locked.
    private static func make(_ path: String, in folder: Int32) throws {
        let draft = path + "-new"
        for name in [draft, draft + "-journal"] { unlink(name) }
        // SQLite gives its `-wal` and `-shm` files the mode of the database file.
        let file = openFile(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw unwritable(path, errno) }
        close(file)
        var isInPlace = false
        defer { if !isInPlace { unlink(draft) } }
        let queue = try DatabaseQueue(path: draft, configuration: configuration)
        try migrate(queue, from: 0)
        try queue.close()
        // Before the registry is there: one that has events and no note has lost it. Best effort, as
        // every note: a missing one is made with the first event.
        try? HeadFile(registry: path).replace(with: .empty)
        guard rename(draft, path) == 0, fsync(folder) == 0 else { throw unwritable(path, errno) }
        isInPlace = true
    }

    private static func lock(_ folder: String) throws(ProvisioningError) -> Int32 {
        let descriptor = openFile(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ProvisioningError(
                .registryUnavailable,
                "the folder \(folder) can't be opened: \(String(cString: strerror(errno)))",
                hint: "name another place with PROVISION_HOME")
        }
        var tries = 0
        var error: Int32 = 0
        repeat {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            error = errno
            guard error == EWOULDBLOCK || error == EINTR else { break }
            tries += 1
        } while waitsForOthers(after: tries)
        close(descriptor)
        if isInterrupted { throw .interruptedWhileWaiting(for: folder) }
        let reason = String(cString: strerror(error))
        throw ProvisioningError(
            .registryUnavailable, "the folder \(folder) can't be locked: \(reason)",
            hint: "end the process that opens the registry, then run this again")
    }

    /// Looks before it writes: a file that is not ours must stay as it is.
    private static func migrated(_ path: String) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        if try queue.read({ try version(of: $0, path: path) }) < RegistrySchema.version {
            try migrate(queue, from: nil)
        }
        return queue
    }

    /// - Parameter found: the version that it has; nil to look.
    private static func migrate(_ queue: DatabaseQueue, from found: Int?) throws {
        try queue.inTransaction(.immediate) { database in
            let found = try found ?? version(of: database, path: queue.path)
            for script in RegistrySchema.migrations[found...] {
                try database.execute(sql: script)
            }
            try database.execute(
                sql: """
                    PRAGMA application_id = \(RegistrySchema.applicationID);
                    PRAGMA user_version = \(RegistrySchema.version)
                    """)
            return .commit
        }
    }

    static func version(of database: Database, path: String) throws -> Int {
        let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard application == RegistrySchema.applicationID else {
            throw ProvisioningError(
                .registryDamaged,
                "\(path) is another program's database: its application ID is \(application), "
                    + "a registry's is \(RegistrySchema.applicationID)",
                hint: "name another place with PROVISION_HOME")
        }
        guard version <= RegistrySchema.version else {
            throw ProvisioningError(
                .registryNewer,
                "\(path) has schema version \(version), this program knows up to "
                    + "\(RegistrySchema.version)",
                hint: "update this program")
        }
        guard version > 0 else {
            throw ProvisioningError(
                .registryDamaged, "\(path) has schema version \(version)",
                hint: "put back the newest copy")
        }
        return version
    }
}

/// `open(2)`: within `SQLiteRegistry`, the name means another function.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
    open(path, flags, mode)
}
