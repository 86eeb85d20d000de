import GRDB
import Provisioning
import Testing

@testable import Registry

/// What someone with a SQL prompt tries: the schema refuses each, and the registry stays intact.
@Suite struct SchemaTests {
    let files = try! TemporaryRegistry()

    /// Two devices, one with a revoked and an active key, all with credentials.
    private func fill() throws -> SQLiteRegistry {
        let registry = try files.open()
        for (key, device) in [(1, 1), (2, 1), (3, 2)] {
            _ = try registry.register(claim(key, device: identity(device)), at: noon)
            try registry.record([credential(key)], for: thumbprint(key), at: noon)
        }
        try registry.activate(thumbprint(2), confirmation: [1], at: noon)
        try registry.setNickname("lamp", of: identity(1), at: noon)
        try registry.setNickname("door", of: identity(2), at: noon)
        _ = try registry.nextCRLNumber(of: issuer, at: noon)
        return registry
    }

    static let attempts = [
        // Nothing is deleted.
        "DELETE FROM event", "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
        "DELETE FROM key", "DELETE FROM device", "DELETE FROM credential", "DELETE FROM document",
        "DELETE FROM revocation_list",
        // An event never changes.
        "UPDATE event SET at = at + 1 WHERE seq = 1", "UPDATE event SET body = '{}'",
        "UPDATE OR REPLACE event SET seq = 1 WHERE seq = 2",
        """
        INSERT OR REPLACE INTO event SELECT seq, at, kind, subject, '{}', previous, hash
        FROM event
        """,
        """
        INSERT INTO event SELECT seq + 100, at, kind, subject + 100, body, previous,
        hash FROM event WHERE seq = 1
        """,
        """
        INSERT INTO event SELECT max(seq) + 1, at, 'key-activated', 2, '{}',
        zeroblob(32), hash FROM event
        """,
        // Revoked is for ever.
        "UPDATE key SET state = 'active', revoked_at = NULL, revocation_reason = NULL",
        """
        UPDATE key SET state = 'pending', revoked_at = NULL, revocation_reason = NULL,
        event = (SELECT max(seq) FROM event) WHERE state = 'revoked'
        """,
        """
        UPDATE credential SET state = 'in-force', revoked_at = NULL, revocation_reason =
        NULL WHERE state = 'revoked'
        """,
        "UPDATE key SET revoked_at = revoked_at + 1 WHERE state = 'revoked'",
        // Every change is an event.
        """
        UPDATE key SET state = 'revoked', revoked_at = 1, revocation_reason = 1 WHERE
        state = 'active'
        """,
        """
        UPDATE credential SET state = 'revoked', revoked_at = 1, revocation_reason = 1
        WHERE state = 'in-force'
        """,
        "UPDATE device SET nickname = 'other'", "UPDATE device SET nickname = NULL",
        "UPDATE OR REPLACE device SET nickname = 'door' WHERE nickname = 'lamp'",
        "UPDATE revocation_list SET number = 9",
        """
        INSERT INTO revocation_list SELECT id + 1, issuer, number + 1, numbered_at FROM
        revocation_list
        """,
        // Identities stay.
        "UPDATE device SET board = 'x'", "UPDATE device SET device_id = x'01' WHERE id = 1",
        "UPDATE key SET thumbprint = zeroblob(32) WHERE id = 2",
        "UPDATE key SET public_key = zeroblob(65) WHERE id = 2",
        "UPDATE key SET device = 1", "UPDATE key SET key_id = key_id + 1",
        "UPDATE credential SET serial = x'01'", "UPDATE credential SET key = 2",
        "UPDATE document SET bytes = x'00'",
        // Replacing deletes in silence.
        "INSERT OR REPLACE INTO key SELECT * FROM key",
        "REPLACE INTO device SELECT * FROM device",
        "REPLACE INTO credential SELECT * FROM credential",
        "REPLACE INTO document SELECT digest, x'00' FROM document",
        "REPLACE INTO revocation_list SELECT * FROM revocation_list",
    ]

    @Test(arguments: attempts) func `The schema refuses`(_ sql: String) throws {
        let registry = try fill()
        let before = try dump()
        #expect(throws: DatabaseError.self) { try files.execute(sql) }
        #expect(try dump() == before)
        #expect(try registry.verify().findings == [])
    }

    private func dump() throws -> [[Row]] {
        try files.raw { database in
            try (["event", "document"] + RegistrySchema.projectedTables).map {
                try Row.fetchAll(database, sql: "SELECT * FROM \($0)")
            }
        }
    }

    /// With a correct event before it, a row may be written only as the event's kind allows.
    @Test(arguments: [
        (
            "key-activated",
            """
            UPDATE key SET state = 'pending', revoked_at = NULL, revocation_reason =
            NULL, event = ? WHERE id = 2
            """
        ),
        ("key-revoked", "UPDATE key SET state = 'active', event = ? WHERE id = 2"),
        (
            "key-reinstated",
            """
            UPDATE OR REPLACE key SET state = 'pending', revoked_at = NULL,
            revocation_reason = NULL, event = ? WHERE id = 2
            """
        ),
    ]) func `The schema refuses, whatever the event`(_ kind: String, _ sql: String) throws {
        _ = try fill()
        try files.raw { database in
            try database.execute(
                sql: """
                    BEGIN;
                    INSERT INTO event SELECT seq + 1, at, '\(kind)', 2, '{}', hash, hash
                    FROM event ORDER BY seq DESC LIMIT 1
                    """)
            let event = try Int64.fetchOne(database, sql: "SELECT max(seq) FROM event")
            #expect(throws: DatabaseError.self) {
                try database.execute(sql: sql, arguments: [event])
            }
            try database.execute(sql: "ROLLBACK")
        }
    }

    @Test func `Values out of range are refused`() throws {
        let registry = try files.open()
        var broken: [RegistrationClaim] = []
        for change in [
            { $0.thumbprint = [1] }, { $0.publicKey = [] }, { $0.evidence = [] },
            { $0.firmwareDigest = [1] },
            { $0.identity = .init(board: "", id: $0.identity.id) },
            { $0.identity = .init(board: .init(repeating: "x", count: 65), id: $0.identity.id) },
            { $0.evidence = .init(repeating: 0, count: 1 << 20 + 1) },
        ] as [(inout RegistrationClaim) -> Void] {
            var value = claim(1, device: identity(1))
            change(&value)
            broken.append(value)
        }
        for value in broken {
            #expect(
                failure { _ = try registry.register(value, at: noon) }?.code == .registryConflict)
        }
        for time in [Int64.min, -1, 253_402_300_800, .max] {
            let error = failure {
                _ = try registry.register(
                    claim(1, device: identity(1)), at: .init(seconds: time))
            }
            #expect(error?.code == .clockWrong)
        }
        #expect(try registry.statistics().head == .empty)
        #expect(try files.count("document") == 0)
    }
}
