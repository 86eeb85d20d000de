import GRDB
import OpenSSL
import Provisioning

/// One walk over the log. Memory is constant: the replay is a temporary file, which SQLite deletes.
struct Verification {
    private let registry: Database
    private var report = RegistryReport()

    init(registry: Database) { self.registry = registry }

    mutating func run(against head: LogHead?) throws -> RegistryReport {
        var configuration = Configuration()
        // Documents are not copied: they are checked where they are.
        configuration.foreignKeysEnabled = false
        let replay = try DatabaseQueue(path: "", configuration: configuration)
        try replay.inDatabase { try $0.execute(sql: "PRAGMA synchronous = OFF") }
        try replay.write { replay in
            for script in RegistrySchema.migrations { try replay.execute(sql: script) }
            try compareSchema(replay)
            try replay.execute(
                sql: "CREATE TABLE named (digest BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID")
            try walk(replay, expecting: head)
            guard report.firstBadEvent == nil else { return }
            for table in RegistrySchema.projectedTables { try compare(table, replay) }
            try checkDocuments(replay)
        }
        return report
    }

    /// A dropped trigger or index would let the next change break a promise.
    private mutating func compareSchema(_ replay: Database) throws {
        let sql = """
            SELECT type || ' ' || name, ifnull(sql, '') FROM sqlite_schema
            WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            """
        func schema(_ database: Database) throws -> [String: String] {
            try Row.fetchAll(database, sql: sql).reduce(into: [:]) {
                var reader = RowReader($1)
                $0[try reader.text()] = try reader.text()
            }
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

    private mutating func walk(_ replay: Database, expecting head: LogHead?) throws {
        let rows = try Row.fetchCursor(
            registry, sql: "SELECT \(RegistryEvent.columns) FROM event ORDER BY seq")
        while let row = try rows.next() {
            let expected = report.head.sequenceNumber + 1
            do {
                var reader = RowReader(row)
                try check(RegistryEvent(&reader), expected, replay, head)
            } catch {
                report.firstBadEvent = expected
                report.add("event \(expected): \(Self.reason(error))")
                return
            }
        }
        if let head, head.sequenceNumber > report.head.sequenceNumber {
            report.firstBadEvent = report.head.sequenceNumber + 1
            report.add(
                "the log ends at event \(report.head.sequenceNumber), it had "
                    + "\(head.sequenceNumber) before")
        }
    }

    private mutating func check(
        _ event: RegistryEvent, _ expected: Int64, _ replay: Database, _ head: LogHead?
    ) throws {
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
        try EventLog.insert(event, into: replay)
        let change = try RegistryChange(event.kind, body: event.body)
        try change.apply(event, to: replay)
        for digest in change.documents {
            try replay.cachedStatement(sql: "INSERT OR IGNORE INTO named (digest) VALUES (?)")
                .execute(arguments: [digest])
        }
        report.head = LogHead(sequenceNumber: expected, hash: event.hash)
        report.eventCount = expected
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
        let found = try Row.fetchCursor(registry, sql: sql)
        let told = try Row.fetchCursor(replay, sql: sql)
        var left = try found.next()
        var right = try told.next()
        while left != nil || right != nil {
            let leftID = try left.map(Self.first) ?? .max
            let rightID = try right.map(Self.first) ?? .max
            if leftID < rightID {
                report.add("\(table) \(leftID) is in the table, the log does not tell of it")
            } else if rightID < leftID {
                report.add("\(table) \(rightID) is missing, event \(rightID) tells of it")
            } else if let left, let right, left != right {
                report.add("\(table) \(leftID): \(Self.difference(left, right))")
            }
            if leftID <= rightID { left = try found.next() }
            if rightID <= leftID { right = try told.next() }
        }
    }

    /// `id`.
    private static func first(_ row: Row) throws -> Int64 {
        var reader = RowReader(row)
        return try reader.integer()
    }

    private static func difference(_ found: Row, _ told: Row) -> String {
        let columns = told.columnNames.filter {
            let left: DatabaseValue? = found[$0]
            let right: DatabaseValue? = told[$0]
            return left != right
        }
        return columns.map { column in
            let left: DatabaseValue? = found[column]
            let right: DatabaseValue? = told[column]
            return "\(column) is \(left?.description ?? "missing"), "
                + "the log says \(right?.description ?? "nothing")"
        }.joined(separator: "; ")
    }

    /// What is kept must have the digest under which it is kept, and an event must name it.
    private mutating func checkDocuments(_ replay: Database) throws {
        let documents = try Row.fetchCursor(
            registry, sql: "SELECT digest, bytes FROM document ORDER BY digest")
        let named = try Row.fetchCursor(replay, sql: "SELECT digest FROM named ORDER BY digest")
        func nextDigest() throws -> [UInt8]? {
            var reader = try named.next().map(RowReader.init)
            return try reader?.octets()
        }
        var expected = try nextDigest()
        while let row = try documents.next() {
            var reader = RowReader(row)
            let digest = try reader.octets()
            if SHA256.hash(try reader.octets()) != digest {
                report.add("document \(Octets(digest).hexadecimal) was altered")
            }
            while let missing = expected, missing.lexicographicallyPrecedes(digest) {
                report.add("document \(Octets(missing).hexadecimal) is missing")
                expected = try nextDigest()
            }
            if expected == digest {
                expected = try nextDigest()
            } else {
                report.add("document \(Octets(digest).hexadecimal) belongs to no event")
            }
        }
        while let missing = expected {
            report.add("document \(Octets(missing).hexadecimal) is missing")
            expected = try nextDigest()
        }
    }
}
