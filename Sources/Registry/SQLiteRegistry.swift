import COSE
import Foundation
import GRDB
public import Provisioning

/// A registry in one SQLite file, which many threads and processes may use at once.
///
/// The schema keeps the promises of `DeviceRegistry`: partial unique indexes, CHECKs and triggers
/// refuse whatever would break one, also from the `sqlite3` shell. Each table is a projection of
/// the log of events, and `verify` replays the log to compare.
///
/// Calls block: for the disk, and for up to 30 s while another process writes.
public final class SQLiteRegistry: Sendable {
    public let path: String
    private let connections: Connections
    var pool: DatabasePool { connections.pool }
    private let commits = GroupCommit()
    let headFile: HeadFile
    /// False where a damaged note lies, which must stay until the user has seen it: whether a run came
    /// after it would not show.
    private let notesHead: Bool

    /// In the order in which they are closed.
    struct Connections: Sendable {
        let pool: DatabasePool
        /// To be closed after all others; nil: whichever.
        let last: DatabaseQueue?
    }

    /// Seconds that a call waits for other writers before it gives up.
    static let busyTimeout = 30.0

    /// Opens the registry; for writing it is made if there is none: a folder of mode 0700, a file of mode
    /// 0600.
    ///
    /// - Throws: `.notFound` if there is none, and `access` makes none; `.registryUnavailable` if the file can't be made, read or written;
    ///   `.registryDamaged` if it is not an intact registry, or lost what was in it; `.registryNewer`
    ///   if a newer program wrote it.
    public init(path: String, for access: Access = .writing) throws(ProvisioningError) {
        self.path = path
        headFile = HeadFile(registry: path)
        if case .damaged = headFile.read() { notesHead = false } else { notesHead = true }
        connections = try Self.reporting(path) { try Self.open(path, for: access) }
    }

    /// Version of the database's schema.
    public var schemaVersion: Int { RegistrySchema.version }

    /// One change that is durable when this returns, or changed nothing when it throws.
    func write<Value>(
        at now: NumericDate, _ body: @escaping (EventLog) throws -> Value
    ) throws(ProvisioningError) -> Value {
        guard NumericDate.registrable.contains(now.seconds) else {
            throw ProvisioningError(
                .clockWrong, "the time is \(now.seconds) s, not within 1970 to 9999",
                hint: "set the clock")
        }
        return try Self.reporting(path) {
            let (value, head) = try commits.write(to: pool) { database in
                let log = try EventLog(database: database, now: now)
                return (try body(log), try EventLog.head(of: database))
            }
            if notesHead { headFile.note(head) }
            return value
        }
    }

    /// One snapshot: what others write meanwhile is not seen, and they need not wait.
    func read<Value>(
        _ body: (Database) throws -> Value
    ) throws(ProvisioningError) -> Value {
        try Self.reporting(path) { try pool.read(body) }
    }
}

extension SQLiteRegistry {
    /// Gives every error of SQLite a code, a reason and a hint.
    static func reporting<Value>(
        _ path: String, _ body: () throws -> Value
    ) throws(ProvisioningError) -> Value {
        do {
            return try body()
        } catch let error as ProvisioningError {
            throw error
        } catch let error as DatabaseError {
            throw ProvisioningError(error, path: path)
        } catch {
            throw ProvisioningError(.registryDamaged, "\(path): \(error)")
        }
    }
}

extension ProvisioningError {
    static func interruptedWhileWaiting(for path: String) -> ProvisioningError {
        ProvisioningError(
            .interrupted, "interrupted while another process writes \(path)",
            hint: "run the same command again when it has ended")
    }

    fileprivate init(_ error: DatabaseError, path: String) {
        let volume = Volume(of: path)
        let message = error.message ?? "SQLite error \(error.resultCode.rawValue)"
        let reason = "\(path): \(message)"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_MISMATCH, .SQLITE_ERROR, .SQLITE_SCHEMA:
            self.init(
                .registryDamaged, reason,
                hint: "keep a copy of the file, and put back a backup of it")
        case .SQLITE_CONSTRAINT:
            self.init(.registryConflict, reason)
        case .SQLITE_BUSY where SQLiteRegistry.isInterrupted,
            .SQLITE_LOCKED where SQLiteRegistry.isInterrupted:
            self = .interruptedWhileWaiting(for: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                .registryUnavailable,
                "\(path): another process has written for \(Int(SQLiteRegistry.busyTimeout)) s",
                hint: "end the process that holds the registry, then run this again")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            self.init(
                .registryUnavailable, reason,
                hint: "make the file and its folder writable for this user")
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN:
            self.init(
                .registryUnavailable, "\(reason); \(volume)",
                hint: volume.hint(error.wantOfRoom))
        default:
            self.init(
                .registryUnavailable, reason,
                hint: "check that the file and its folder can be read and written")
        }
    }
}

extension DatabaseError {
    /// SQLite calls only `ENOSPC` full, and that not everywhere: to open its shared memory is also to make the
    /// file three octets long. `EDQUOT` and `EIO` are one code; the system's own number is the connection's, which
    /// may serve another by now.
    fileprivate var wantOfRoom: Volume.Want {
        switch extendedResultCode {
        case .SQLITE_FULL: .certain
        case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_TRUNCATE, .SQLITE_IOERR_SHMSIZE,
            .SQLITE_IOERR_SHMOPEN, .SQLITE_IOERR_FSYNC:
            .possible
        default: .nothing
        }
    }
}
