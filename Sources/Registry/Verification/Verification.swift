import COSE
import GRDB
import Provisioning

/// One walk over the log. Memory is constant: the replay is a temporary file, which SQLite deletes.
struct Verification {
    private let registry: Database
    private let head: LogHead?
    private var report = RegistryReport()

    /// When the tables' CHECKs are asked. Each time, SQLite builds the lists of their INs anew, which
    /// takes as long as the rest of the walk.
    private enum Checks {
        case atEachEvent
        /// Rows as the last event left them: no event changes what one of them forbids and the reader
        /// of bodies does not. Tells that something is wrong, not where.
        case atTheEnd
    }

    private struct CheckFailed: Error {}

    /// - Parameter head: Where an earlier walk saw the end of the log.
    static func run(_ registry: Database, against head: LogHead?) throws -> RegistryReport {
        var verification = Verification(registry: registry, head: head)
        do {
            return try verification.run(.atTheEnd)
        } catch is CheckFailed {
            verification = Verification(registry: registry, head: head)
            return try verification.run(.atEachEvent)
        }
    }

    private init(registry: Database, head: LogHead?) {
        self.registry = registry
        self.head = head
    }

    private mutating func run(_ checks: Checks) throws -> RegistryReport {
        var configuration = Configuration()
        // Documents are not copied: they are checked where they are.
        configuration.foreignKeysEnabled = false
        let replay = try DatabaseQueue(path: "", configuration: configuration)
        // Nothing of it is ever taken back: what can't be applied ends it.
        try replay.inDatabase {
            try $0.execute(
                sql: """
                    PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;
                    PRAGMA cache_size = \(-Self.cacheSize);
                    PRAGMA ignore_check_constraints = \(checks == .atTheEnd)
                    """)
        }
        try replay.write { replay in
            for script in RegistrySchema.migrations { try replay.execute(sql: script) }
            try compareSchema(replay)
            try Self.lighten(replay)
            var documents = try DocumentCheck(registry: registry, named: replay)
            try walk(replay, &documents)
            if checks == .atTheEnd { try Self.requireChecks(replay) }
            guard report.firstBadEvent == nil else { return }
            for table in RegistrySchema.projectedTables { try compare(table, replay) }
            for finding in try documents.end() { report.add(finding) }
        }
        return report
    }

    /// KiB of the replay that are in memory: more than SQLite's 2 MB, for the indexes that refuse a key
    /// or a serial number twice are as random as those are.
    private static let cacheSize = 8192

    /// Leaves what refuses a change: what only finds rows faster costs more than it is worth here.
    private static func lighten(_ replay: Database) throws {
        let sql = """
            SELECT name FROM sqlite_schema
            WHERE type = 'index' AND sql LIKE 'CREATE INDEX%'
            """
        for name in try String.fetchAll(replay, sql: sql) {
            try replay.execute(sql: "DROP INDEX \(name)")
        }
        try replay.execute(sql: "DROP TRIGGER event_update")
    }

    /// The replay's log has one row, of what the rules of other tables ask for: that of the last event.
    private static let nextEvent = "UPDATE event SET seq = ?, kind = ?, subject = ?"

    /// A dropped trigger or index would let the next change break a promise.
    private mutating func compareSchema(_ replay: Database) throws {
        let sql = """
            SELECT type || ' ' || name, ifnull(sql, '') FROM sqlite_schema
            WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            """
        func schema(_ database: Database) throws -> [String: String] {
            let rows = try database.makeStatement(sql: sql).rows {
                (try $0.text(), try $0.text())
            }
            return try Dictionary(uniqueKeysWithValues: Array(rows))
        }
        let found = try schema(registry)
        let expected = try schema(replay)
        for name in Set(found.keys).union(expected.keys).sorted()
        where found[name] != expected[name] {
            let verb =
                found[name] == nil ? "missing" : expected[name] == nil ? "foreign" : "altered"
            report.add("schema: \(name) is \(verb)")
        }
    }

    private static func requireChecks(_ replay: Database) throws {
        try replay.execute(sql: "PRAGMA ignore_check_constraints = false")
        let lines = try String.fetchAll(replay, sql: "PRAGMA quick_check(1)")
        guard lines == ["ok"] else { throw CheckFailed() }
    }

    private mutating func walk(
        _ replay: Database, _ documents: inout DocumentCheck
    ) throws {
        // An event that can't be read is a finding; a file that can't be is an error.
        let events = try registry.makeStatement(
            sql: "SELECT \(RegistryEvent.columns) FROM event ORDER BY seq"
        ).rows { row in Result { try RegistryEvent(&row) } }
        while let event = try events.next() {
            let expected = report.head.sequenceNumber + 1
            let change: RegistryChange
            do {
                change = try check(event.get(), expected, replay)
            } catch let error as DatabaseError where error.isOfDisk {
                throw error
            } catch {
                report.firstBadEvent = expected
                report.add("event \(expected): \(Self.reason(error))")
                return
            }
            for digest in change.documents { try documents.name(digest.bytes) }
        }
        if let head, head.sequenceNumber > report.head.sequenceNumber {
            report.firstBadEvent = report.head.sequenceNumber + 1
            report.add(
                "the log ends at event \(report.head.sequenceNumber), it had "
                    + "\(head.sequenceNumber) before")
        }
    }

    private mutating func check(
        _ event: RegistryEvent, _ expected: Int64, _ replay: Database
    ) throws -> RegistryChange {
        guard event.sequenceNumber == expected else {
            throw ProjectionError(description: "is missing")
        }
        guard event.previous == report.head.hash else {
            throw ProjectionError(description: "does not follow the event before it")
        }
        guard event.hash == event.expectedHash else {
            throw ProjectionError(description: "was altered: its hash is another")
        }
        if let head, head.sequenceNumber == expected, head.hash != event.hash {
            throw ProjectionError(
                description: "is not the one that was there before, \(head)")
        }
        guard NumericDate.registrable.contains(event.date.seconds) else {
            throw ProjectionError(description: "is of \(event.date.utc)")
        }
        guard (event.subject == expected) == event.kind.beginsSubject else {
            throw ProjectionError(description: "is about event \(event.subject)")
        }
        let change = try RegistryChange(event.kind, body: event.body)
        if expected == 1 {
            try EventLog.insert(event, into: replay)
        } else {
            try replay.cachedStatement(sql: Self.nextEvent).run([
                .integer(expected), .text(event.kind.rawValue), .integer(event.subject),
            ])
        }
        try change.apply(event, to: replay)
        report.head = LogHead(sequenceNumber: expected, hash: event.hash)
        report.eventCount = expected
        return change
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as DatabaseError: error.message ?? "SQLite error \(error.resultCode)"
        case let error as ProvisioningError: error.reason
        default: "\(error)"
        }
    }

    /// Both tables in order of `id`, side by side.
    private mutating func compare(_ table: String, _ replay: Database) throws {
        let sql = "SELECT * FROM \(table) ORDER BY id"
        let found = try TableReader(registry.makeStatement(sql: sql))
        let told = try TableReader(replay.makeStatement(sql: sql))
        while found.id != nil || told.id != nil {
            let left = found.id ?? .max
            let right = told.id ?? .max
            if left < right {
                report.add("\(table) \(left) is in the table, the log does not tell of it")
            } else if right < left {
                report.add("\(table) \(right) is missing, event \(right) tells of it")
            } else if !found.hasSameRow(as: told) {
                report.add("\(table) \(left): \(found.difference(from: told))")
            }
            if left <= right { try found.next() }
            if right <= left { try told.next() }
        }
    }
}
