import Foundation
import GRDB
import Provisioning

// A registry that is not to be written, or can't be: on a read-only file system, or by its mode.
extension SQLiteRegistry {
    /// What reads the file where it could be written, and leaves it as it was.
    static func openUnchanged(_ path: String) throws -> Connections {
        // Only a connection that may write removes the files that SQLite makes beside a database in WAL
        // mode. This one never does: GRDB's pool for writing would make a table and drop it again.
        let last = try DatabaseQueue(path: path, configuration: configuration)
        _ = try last.read { try version(of: $0, path: path) }
        var configuration = configuration
        configuration.readonly = true
        let pool = try DatabasePool(path: path, configuration: configuration)
        return Connections(pool: try checked(pool, path), last: last)
    }

    /// Whether there is a file, and it or its folder can't be written.
    static func isReadOnly(_ path: String) -> Bool {
        guard let status = FileStatus(path), !status.isFolder, access(path, R_OK) == 0 else {
            return false
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return access(path, W_OK) != 0 || access(folder, W_OK) != 0
    }

    static func openReadOnly(_ path: String) throws -> DatabasePool {
        var configuration = configuration
        configuration.readonly = true
        // SQLite must make a file for its locks beside a database in WAL mode, unless it is told that
        // nobody writes. What stands in a WAL it would then not see.
        guard FileStatus(path + "-wal")?.length ?? 0 == 0 else {
            return try openBesideJournal(path, configuration)
        }
        return try checked(DatabasePool(path: immutable(path), configuration: configuration), path)
    }

    /// Works where a process that writes has made the file of locks already.
    private static func openBesideJournal(
        _ path: String, _ configuration: Configuration
    ) throws -> DatabasePool {
        do {
            return try checked(DatabasePool(path: path, configuration: configuration), path)
        } catch let error as DatabaseError {
            throw ProvisioningError(
                .registryUnavailable,
                "\(path)-wal holds changes of a run that did not end, and they can't be put into "
                    + "\(path) here: \(error.message ?? "\(error.resultCode)")",
                hint:
                    "copy the folder to where it can be written, and name that with PROVISION_HOME")
        }
    }

    /// No migration: an older schema is as unreadable here as a newer one.
    private static func checked(_ pool: DatabasePool, _ path: String) throws -> DatabasePool {
        let noted = HeadFile(registry: path).read()
        let found = try pool.read { database in
            let found = try version(of: database, path: path)
            if found == RegistrySchema.version { try checkHead(noted, path, database) }
            return found
        }
        guard found == RegistrySchema.version else {
            throw ProvisioningError(
                .registryUnavailable,
                "\(path) has schema version \(found), this program reads \(RegistrySchema.version)",
                hint: "where it can be written, the next run brings it up to date")
        }
        return pool
    }

    /// RFC 3986 §3.3, and SQLite's "Uniform Resource Identifiers".
    private static func immutable(_ path: String) -> String {
        let plain = Set("/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        let digits = Array("0123456789ABCDEF")
        let escaped = path.utf8.map { octet in
            plain.contains(octet)
                ? String(UnicodeScalar(octet))
                : "%\(digits[Int(octet >> 4)])\(digits[Int(octet & 15)])"
        }
        return "file:\(escaped.joined())?immutable=1"
    }
}
