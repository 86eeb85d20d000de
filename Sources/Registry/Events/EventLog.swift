import COSE
import GRDB
import OpenSSL

/// The end of the log, in a write transaction: whatever changes a table goes through here.
struct EventLog {
    let database: Database
    /// What the events get: the clock's time, or the last event's where the clock is behind it. Whoever
    /// reads the log may rely on it that time does not run backwards.
    let now: NumericDate

    init(database: Database, now clock: NumericDate) throws {
        self.database = database
        now = max(clock, try Self.lastChange(in: database) ?? clock)
    }

    /// Appends an event and applies it to the tables. Returns its sequence number.
    ///
    /// - Parameter subject: The event that began what is changed; nil if this one begins it.
    @discardableResult
    func append(_ change: RegistryChange, to subject: Int64? = nil) throws -> Int64 {
        let head = try Self.head(of: database)
        // In a tampered file the last number may be the greatest: the CHECK refuses what follows it.
        let sequenceNumber = head.sequenceNumber &+ 1
        let subject = subject ?? sequenceNumber
        let body = try change.body()
        let event = RegistryEvent(
            sequenceNumber: sequenceNumber, date: now, kind: change.kind, subject: subject,
            body: body, previous: head.hash,
            hash: RegistryEvent.hash(
                previous: head.hash, sequenceNumber: sequenceNumber, date: now, subject: subject,
                kind: change.kind.rawValue, body: body))
        try Self.insert(event, into: database)
        try change.apply(event, to: database)
        return sequenceNumber
    }

    /// Keeps bytes under their SHA-256, once. Returns the digest.
    func keep(_ bytes: [UInt8]) throws -> Octets {
        let digest = Octets(SHA256.hash(bytes))
        let isKept =
            try Bool.fetchOne(
                database.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM document WHERE digest = ?)"),
                arguments: [digest]) ?? false
        if !isKept {
            try database.cachedStatement(sql: "INSERT INTO document (digest, bytes) VALUES (?, ?)")
                .run([.octets(digest.bytes), .octets(bytes)])
        }
        return digest
    }

    static func head(of database: Database) throws -> LogHead {
        let statement = try database.cachedStatement(
            sql: "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1")
        return try LogHead.fetchOne(statement) ?? .empty
    }

    /// The time of the last event; nil in an empty log.
    static func lastChange(in database: Database) throws -> NumericDate? {
        let statement = try database.cachedStatement(
            sql: "SELECT at FROM event ORDER BY seq DESC LIMIT 1")
        return try Int64.fetchOne(statement).map(NumericDate.init(seconds:))
    }

    static func insert(_ event: RegistryEvent, into database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO event (seq, at, kind, subject, body, previous, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.run(event.values)
    }
}

extension LogHead: RowRecord {
    /// Columns `seq` and `hash`.
    init(_ row: inout RowReader) throws {
        self.init(sequenceNumber: try row.integer(), hash: try row.octets())
    }
}
