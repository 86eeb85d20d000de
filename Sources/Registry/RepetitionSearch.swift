import GRDB
public import Provisioning

/// Looks for a text that comes twice among more of them than memory should hold.
///
/// They are kept in a temporary file of SQLite's, which has no name and goes with the process at the
/// latest.
public final class RepetitionSearch {
    private let queue: DatabaseQueue
    private var waiting: [String] = []

    /// Texts that are written at once.
    private static let batchLength = 1024

    /// - Throws: `.registryUnavailable` if there can be no temporary file.
    public convenience init() throws(ProvisioningError) { try self.init(pageLimit: nil) }

    /// - Parameter pageLimit: Pages of 4 KiB that the file may have; nil: what the disk has.
    init(pageLimit: Int?) throws(ProvisioningError) {
        queue = try Self.reporting {
            let queue = try DatabaseQueue(path: "")
            try queue.writeWithoutTransaction { database in
                // Nobody reads it after a crash.
                try database.execute(
                    sql: "PRAGMA journal_mode = OFF; CREATE TABLE item (text TEXT NOT NULL)")
                if let pageLimit {
                    try database.execute(sql: "PRAGMA max_page_count = \(pageLimit)")
                }
            }
            return queue
        }
    }

    /// - Throws: `.registryUnavailable` if the temporary file can't grow.
    public func add(_ text: String) throws(ProvisioningError) {
        waiting.append(text)
        if waiting.count == Self.batchLength { try flush() }
    }

    /// A text that was added more than once, octet by octet; nil if all differ.
    ///
    /// - Throws: `.registryUnavailable` if the temporary file can't grow.
    public func repeated() throws(ProvisioningError) -> String? {
        try flush()
        return try Self.reporting {
            // SQLite sorts runs of bounded length, and merges them from a file.
            try queue.read {
                try String.fetchOne(
                    $0, sql: "SELECT text FROM item GROUP BY text HAVING count(*) > 1 LIMIT 1")
            }
        }
    }

    private func flush() throws(ProvisioningError) {
        try Self.reporting {
            try queue.write { database in
                let statement = try database.cachedStatement(sql: "INSERT INTO item VALUES (?)")
                for text in waiting { try statement.execute(arguments: [text]) }
            }
        }
        waiting.removeAll(keepingCapacity: true)
    }

    private static func reporting<Value>(
        _ body: () throws -> Value
    ) throws(ProvisioningError) -> Value {
        do {
            return try body()
        } catch {
            let message = (error as? DatabaseError)?.message ?? "\(error)"
            throw .temporaryFile("names can't be compared in a temporary file: \(message)")
        }
    }
}

extension ProvisioningError {
    /// SQLite could not write one of its own.
    static func temporaryFile(_ reason: String) -> ProvisioningError {
        ProvisioningError(
            .registryUnavailable, reason,
            hint: "make room in /var/tmp and /tmp, or name another folder with SQLITE_TMPDIR")
    }
}
