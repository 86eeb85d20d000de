import GRDB
import Issuance
import OpenSSL
import Provisioning
import Testing

@testable import Registry

/// Someone who can write to the file, and knows the schema, leaves a trace.
@Suite struct VerificationTests {
    let files = try! TemporaryRegistry()

    private func fill() throws -> SQLiteRegistry {
        let registry = try files.open()
        for key in 1...3 {
            _ = try registry.register(claim(key, device: identity(key)), at: noon)
            try registry.record([credential(key)], for: thumbprint(key), at: noon)
            try registry.activate(thumbprint(key), confirmation: [UInt8(key)], at: noon)
        }
        try registry.revoke(.key(thumbprint(3)), reason: .keyCompromise, at: noon)
        try registry.setNickname("lamp", of: identity(1), at: noon)
        return registry
    }

    @Test(
        arguments: [
            ("UPDATE event SET body = replace(body, 'flashed', 'flasheD') WHERE seq = 2", 2),
            ("UPDATE event SET at = at + 1 WHERE seq = 5", 5),
            ("UPDATE event SET subject = 1 WHERE seq = 4", 4),
            (
                "UPDATE event SET kind = 'key-reinstated' WHERE kind = 'key-activated' AND seq = 4",
                4
            ),
            ("UPDATE event SET hash = zeroblob(32) WHERE seq = 7", 7),
            ("UPDATE event SET previous = zeroblob(32) WHERE seq = 7", 7),
            ("DELETE FROM event WHERE seq = 6", 6),
            ("DELETE FROM event WHERE seq = 1", 1),
        ] as [(String, Int64)])
    func `An altered event is found`(_ sql: String, _ bad: Int64) throws {
        let registry = try fill()
        #expect(try registry.verify().isIntact)
        try files.tamper(sql)
        let report = try registry.verify()
        #expect(report.firstBadEvent == bad)
        #expect(report.eventCount == bad - 1)
        #expect(!report.isIntact && report.findings.count == 1)
    }

    @Test(arguments: [
        ("UPDATE key SET state = 'active', revoked_at = NULL, revocation_reason = NULL", "state"),
        ("UPDATE key SET thumbprint = zeroblob(32) WHERE id = 2", "thumbprint"),
        ("UPDATE key SET revocation_reason = 4 WHERE state = 'revoked'", "revocation_reason"),
        ("UPDATE device SET nickname = 'door' WHERE id = 1", "nickname"),
        ("UPDATE device SET device_id = x'00' WHERE id = 1", "device_id"),
        ("UPDATE credential SET serial = x'07' WHERE id = 3", "serial"),
        ("DELETE FROM credential WHERE id = 3", "credential 3 is missing"),
        ("DELETE FROM document WHERE digest = (SELECT evidence FROM key LIMIT 1)", "is missing"),
        ("UPDATE document SET bytes = x'00' WHERE rowid = 1", "was altered"),
        ("INSERT INTO document VALUES (zeroblob(32), x'00')", "belongs to no event"),
        (
            """
            INSERT INTO key SELECT 1, device, key_id, zeroblob(32), algorithm, zeroblob(65),
                state, registered_at, activated_at, revoked_at, revocation_reason, basis, imported,
                firmware_digest, evidence, confirmation, event, possession_proven
            FROM key WHERE state = 'revoked'
            """, "the log does not tell of it"
        ),
    ]) func `An altered table is found`(_ sql: String, _ finding: String) throws {
        let registry = try fill()
        try files.tamper(sql)
        let report = try registry.verify()
        #expect(report.firstBadEvent == nil)
        #expect(!report.isIntact)
        #expect(report.findings.contains { $0.contains(finding) })
    }

    @Test func `Octets that differ are shown`() throws {
        let registry = try fill()
        try files.tamper("UPDATE key SET thumbprint = zeroblob(32) WHERE id = 2")
        let zeroes = String(repeating: "0", count: 64)
        #expect(
            try registry.verify().findings == [
                "key 2: thumbprint is \(zeroes), the log says \(hexadecimal(thumbprint(1)))"
            ])
    }

    /// Cutting off the end leaves a chain that is intact in itself: the tables tell more than it.
    @Test(arguments: 1...11) func `A log whose end was cut off is found`(_ cut: Int) throws {
        let registry = try fill()
        let head = try registry.verify().head
        #expect(head.sequenceNumber == 14)
        try files.tamper("DELETE FROM event WHERE seq > \(head.sequenceNumber) - \(cut)")
        #expect(try !registry.verify().isIntact)
        #expect(try registry.verify(against: head).firstBadEvent == Int64(15 - cut))
    }

    @Test func `An older copy of the whole file is found by the head`() throws {
        let old = try fill().verify().head
        let copy = try TemporaryRegistry()
        let other = try copy.open()
        _ = try other.register(claim(1, device: identity(1)), at: noon)
        let registry = try files.open()
        try registry.setNickname(nil, of: identity(1), at: noon)
        let new = try registry.verify(against: old)
        #expect(new.isIntact)
        #expect(try other.verify().isIntact)
        #expect(try other.verify(against: new.head).firstBadEvent == 3)
        // As long a log, but another one.
        let parsed = try #require(LogHead("2:" + String(repeating: "0", count: 64)))
        #expect(try other.verify(against: parsed).firstBadEvent == 2)
        #expect(LogHead(new.head.description) == new.head)
    }

    @Test(arguments: [
        "DROP TRIGGER key_update", "DROP INDEX key_in_force", "CREATE TABLE mine (a)",
    ])
    func `An altered schema is found`(_ sql: String) throws {
        let registry = try fill()
        try files.execute(sql)
        let report = try registry.verify()
        #expect(report.findings.count == 1 && report.findings[0].hasPrefix("schema: "))
    }

    /// A chain with correct hashes that says what the promises forbid.
    @Test func `A forged event that breaks a promise is found`() throws {
        let registry = try fill()
        let head = try registry.verify().head
        try forge("key-reinstated", about: 2, #"{"key":2,"note":null}"#, after: head)
        let report = try registry.verify()
        #expect(report.firstBadEvent == head.sequenceNumber + 1)
        #expect(report.findings[0].contains("revoked is for ever"))
    }

    /// Also where the tables' CHECKs are asked only once, at the end of the walk.
    @Test(arguments: [
        ("key-registered", 15, key(publicKey: "04aabb"), "CHECK constraint failed"),
        ("key-registered", 15, key(publicKey: "04aab"), "publicKey"),
        ("key-registered", 15, key(publicKey: "04", basis: "null"), "basis"),
        ("key-revoked", 2, #"{"reason":8}"#, "8 is no reason"),
        ("key-revoked", 2, #"{"reason":"4"}"#, "reason"),
        ("key-revoked", 2, #"{ "reason":4}"#, "no JSON of this program"),
        ("device-named", 1, #"{"nickname":""}"#, "nickname"),
        ("device-named", 1, "{\"nickname\":\"\(String(repeating: "ä", count: 65))\"}", "nickname"),
        ("device-added", 15, #"{"board":"b","deviceID":""}"#, "CHECK constraint failed"),
    ])
    func `A forged event that no column takes is found`(
        _ kind: String, _ subject: Int64, _ body: String, _ finding: String
    ) throws {
        let registry = try fill()
        let head = try registry.verify().head
        try forge(kind, about: subject, body, after: head)
        let report = try registry.verify()
        #expect(report.firstBadEvent == 15 && report.eventCount == 14)
        #expect(report.findings.count == 1 && report.findings[0].contains(finding))
    }

    private static func key(publicKey: String, basis: String = #""endorsed""#) -> String {
        let digest = String(repeating: "0", count: 64)
        return """
            {"algorithm":-7,"basis":\(basis),"device":1,"evidence":"\(digest)","grounds":[],\
            "isImported":false,"keyID":9,"publicKey":"\(publicKey)","thumbprint":"\(digest)"}
            """
    }

    /// Appends an event with a correct hash, of which the tables know nothing.
    private func forge(
        _ kind: String, about subject: Int64, _ body: String, after head: LogHead
    ) throws {
        let number = head.sequenceNumber + 1
        let hash = RegistryEvent.hash(
            previous: head.hash, sequenceNumber: number, date: noon, subject: subject, kind: kind,
            body: body)
        try files.raw {
            try $0.execute(
                sql: "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    number, noon.seconds, kind, subject, body, Octets(head.hash), Octets(hash),
                ])
        }
    }

    /// One document of many keys, and documents in another order than that of their events.
    @Test func `Documents may be named twice, and stand anywhere`() throws {
        let registry = try fill()
        for key in 1...2 {
            let anchors = Credential(
                type: .trustAnchors, bytes: [0x80], serialNumber: [], issuer: [], notBefore: noon,
                notAfter: nil)
            try registry.record([anchors], for: thumbprint(key), at: noon)
        }
        #expect(try registry.verify().findings == [])
        try files.tamper("UPDATE document SET rowid = 1000 - rowid")
        #expect(try registry.verify().findings == [])
        let shared = "x'\(hexadecimal(SHA256.hash([0x80])))'"
        try files.tamper("DELETE FROM document WHERE digest = \(shared)")
        let report = try registry.verify()
        #expect(report.findings.count == 1 && report.findings[0].contains("is missing"))
    }
}
