import Foundation
import GRDB

/// The yardstick of a durable change: the same rows in the same tables with the same indexes, written
/// by prepared statements, as durably and in as many transactions, and nothing else: no triggers,
/// no hashes, no JSON, no questions before.
final class RawSQLite {
    private let database: DatabaseQueue

    /// What one event of the log means in rows.
    private struct Change {
        let statements: [(sql: String, arguments: StatementArguments)]
    }

    /// A copy of the registry as it is, without its triggers.
    init(copying registry: URL, to copy: URL) throws {
        let source = try DatabaseQueue(path: registry.path, configuration: Self.reading)
        try source.inDatabase {
            try $0.execute(sql: "VACUUM INTO ?", arguments: [copy.path])
        }
        try source.close()
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.journalMode = .wal
        database = try DatabaseQueue(path: copy.path, configuration: configuration)
        try database.inDatabase { database in
            let triggers = try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            for name in triggers { try database.execute(sql: "DROP TRIGGER \(name)") }
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }

    private static var reading: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        return configuration
    }

    /// Seconds to write what `registry` has and this copy has not, `eventCounts` events to a
    /// transaction, by turns.
    func seconds(toFollow registry: URL, eventCounts: [Int]) throws -> Double {
        let changes = try changes(in: registry)
        var commits: [[Change]] = []
        var rest = changes[...]
        while !rest.isEmpty {
            let count = eventCounts[commits.count % eventCounts.count]
            commits.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return try database.inDatabase { database in
            try Bench.seconds {
                for commit in commits {
                    try database.inTransaction(.immediate) {
                        for statement in commit.flatMap(\.statements) {
                            try database.cachedStatement(sql: statement.sql)
                                .execute(arguments: statement.arguments)
                        }
                        return .commit
                    }
                }
            }
        }
    }

    private func changes(in registry: URL) throws -> [Change] {
        let last = try database.inDatabase {
            try Int64.fetchOne($0, sql: "SELECT max(seq) FROM event") ?? 0
        }
        let source = try DatabaseQueue(path: registry.path, configuration: Self.reading)
        defer { try? source.close() }
        return try source.inDatabase { source in
            try Row.fetchAll(
                source, sql: "SELECT * FROM event WHERE seq > ? ORDER BY seq", arguments: [last]
            ).map { Change(statements: try Self.statements(of: $0, in: source)) }
        }
    }

    private static func statements(
        of event: Row, in source: Database
    ) throws -> [(sql: String, arguments: StatementArguments)] {
        let number: Int64 = event["seq"]
        let subject: Int64 = event["subject"]
        let kind: String = event["kind"]
        let insertion = insert(event, into: "event")
        switch kind {
        case "device-added":
            return [insertion, try copy(from: "device", number, source)]
        case "key-registered":
            return [
                insertion, try document("key", "evidence", number, source),
                try copy(from: "key", number, source),
            ]
        case "credential-issued":
            return [
                insertion, try document("credential", "document", number, source),
                try copy(from: "credential", number, source),
            ]
        default:
            let values: StatementArguments = [event["at"] as Int64, number, subject]
            let state = "state = 'revoked', revoked_at = ?, revocation_reason = 4, event = ?"
            return [
                insertion, ("UPDATE key SET \(state) WHERE id = ?", values),
                (
                    "UPDATE credential SET \(state) WHERE key = ? AND state = 'in-force'",
                    values
                ),
            ]
        }
    }

    private static func copy(
        from table: String, _ id: Int64, _ source: Database
    ) throws -> (String, StatementArguments) {
        insert(
            try Row.fetchOne(
                source, sql: "SELECT * FROM \(table) WHERE id = ?", arguments: [id]) ?? Row(),
            into: table)
    }

    private static func document(
        _ table: String, _ column: String, _ id: Int64, _ source: Database
    ) throws -> (String, StatementArguments) {
        let row = try Row.fetchOne(
            source,
            sql: """
                SELECT document.* FROM document JOIN \(table) ON digest = \(column) WHERE id = ?
                """, arguments: [id])
        return insert(row ?? Row(), into: "document")
    }

    private static func insert(
        _ row: Row, into table: String
    ) -> (sql: String, arguments: StatementArguments) {
        let marks = row.map { _ in "?" }.joined(separator: ", ")
        return ("INSERT INTO \(table) VALUES (\(marks))", StatementArguments(row.map(\.1)))
    }
}
