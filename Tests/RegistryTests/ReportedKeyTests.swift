import Attestation
import Foundation
import GRDB
import OpenSSL
import Provisioning
import Testing

@testable import Registry

/// Keys that are only read off a log line, and keys of which only x is known.
@Suite struct ReportedKeyTests {
    let files = try! TemporaryRegistry()

    /// The same key as `claim(key, device:)`, of which only x is reported.
    private func xOnly(
        _ key: Int, device: DeviceIdentity, grounds: Set<ReplacementGround> = [.flashed]
    ) -> RegistrationClaim {
        var value = claim(key, device: device, grounds: grounds)
        value.publicKey = Array(value.publicKey[1...32])
        value.thumbprint = SHA256.hash("x thumbprint \(key)".utf8)
        value.algorithm = 0
        value.isPossessionProven = false
        return value
    }

    @Test func theRecordSaysThatPossessionIsNotProven() throws {
        let registry = try files.open()
        let reported = xOnly(1, device: identity(1))
        _ = try registry.register(reported, at: noon)
        try registry.activate(reported.thumbprint, confirmation: reported.evidence, at: noon)
        let key = try #require(try registry.key(reported.thumbprint))
        #expect(!key.isPossessionProven)
        #expect(key.state == .active)
        #expect(key.confirmationDigest == key.evidenceDigest)
        #expect(key.publicKey.count == 32)
        _ = try registry.register(claim(2, device: identity(2)), at: noon)
        #expect(try registry.key(thumbprint(2))?.isPossessionProven == true)
        #expect(try registry.verify().findings == [])
    }

    /// Promise 4: the same key, whether its y is known or not.
    @Test(arguments: [true, false]) func xNamesTheKey(_ isXFirst: Bool) throws {
        let registry = try files.open()
        let forms = [xOnly(1, device: identity(1)), claim(1, device: identity(1))]
        let (first, second) = isXFirst ? (forms[0], forms[1]) : (forms[1], forms[0])
        _ = try registry.register(first, at: noon)
        let again = try registry.register(second, at: noon)
        #expect(!again.isNew)
        #expect(again.registeredThumbprint == first.thumbprint)
        #expect(try registry.register(first, at: noon).registeredThumbprint == nil)
        #expect(try registry.statistics().keyCounts[.pending] == 1)
        // Credentials go where the key is.
        try registry.record([credential(1)], for: first.thumbprint, at: noon)
        #expect(try registry.register(second, at: noon).credentials == [credential(1)])
        #expect(try registry.verify().findings == [])
    }

    /// Promise 3.
    @Test(arguments: [true, false]) func oneKeyBelongsToOneDeviceInWhateverForm(
        _ isXFirst: Bool
    ) throws {
        let registry = try files.open()
        let forms = [xOnly(1, device: identity(1)), claim(1, device: identity(1))]
        _ = try registry.register(isXFirst ? forms[0] : forms[1], at: noon)
        var other = isXFirst ? forms[1] : forms[0]
        other.identity = identity(2)
        let error = failure { _ = try registry.register(other, at: noon) }
        #expect(error?.code == .keyShared)
        #expect(error?.reason.contains("\(identity(1))") == true)
        #expect(error?.reason.contains("\(identity(2))") == true)
    }

    /// Promise 2.
    @Test(arguments: [true, false]) func revokedIsForEverInWhateverForm(_ isXFirst: Bool) throws {
        let registry = try files.open()
        let forms = [xOnly(1, device: identity(1)), claim(1, device: identity(1))]
        let (first, second) = isXFirst ? (forms[0], forms[1]) : (forms[1], forms[0])
        _ = try registry.register(first, at: noon)
        let replacement = try registry.register(claim(2, device: identity(1)), at: noon)
        #expect(replacement.superseded == [first.thumbprint])
        #expect(failure { _ = try registry.register(second, at: noon) }?.code == .keyRevoked)
    }

    @Test func aReportedKeyReplacesNoneWithoutAReason() throws {
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        let error = failure {
            _ = try registry.register(xOnly(2, device: identity(1), grounds: []), at: noon)
        }
        #expect(error?.code == .replacementUnproven)
        #expect(try registry.key(thumbprint(1))?.state == .pending)
    }

    /// The schema holds it, not code.
    @Test(arguments: [true, false]) func theSchemaRefusesTheOtherForm(_ isXFirst: Bool) throws {
        let registry = try files.open()
        let first =
            isXFirst ? xOnly(1, device: identity(1)) : claim(1, device: identity(1))
        _ = try registry.register(first, at: noon)
        let point = claim(1, device: identity(1)).publicKey
        let other = isXFirst ? point : Array(point[1...32])
        try files.raw { database in
            defer { try? database.execute(sql: "ROLLBACK") }
            try database.execute(
                sql: """
                    BEGIN;
                    INSERT INTO event SELECT seq + 1, at, 'key-registered', seq + 1, '{}', hash, hash
                    FROM event ORDER BY seq DESC LIMIT 1
                    """)
            #expect(throws: DatabaseError.self) {
                try database.execute(
                    sql: """
                        INSERT INTO key (id, device, key_id, thumbprint, algorithm, public_key, state,
                            registered_at, basis, imported, evidence, event)
                        SELECT (SELECT max(seq) FROM event), device, 7, zeroblob(32), 0, ?, 'pending',
                            registered_at, basis, imported, evidence, (SELECT max(seq) FROM event)
                        FROM key
                        """, arguments: [Octets(other)])
            }
            // Another x is none of its business, nor the negative of a whole key: version 1 took it.
            try database.execute(
                sql: """
                    INSERT INTO key (id, device, key_id, thumbprint, algorithm, public_key, state,
                        registered_at, basis, imported, evidence, event)
                    SELECT (SELECT max(seq) FROM event), device, 7, zeroblob(32), 0, ?, 'pending',
                        registered_at, basis, imported, evidence, (SELECT max(seq) FROM event)
                    FROM key
                    """,
                arguments: [
                    Octets(
                        isXFirst
                            ? [UInt8](repeating: 5, count: 65)
                            : Array(point.dropLast()) + [point[64] ^ 1])
                ])
        }
    }

    @Test func keysOfOneImageAreCountedAndLimited() throws {
        let registry = try files.open()
        func register(_ key: Int, at time: Int64, image: [UInt8]?) throws -> Int {
            var value = claim(key, device: identity(1))
            value.recentKeyLimit = 3
            value.firmwareDigest = image
            return try registry.register(value, at: .init(seconds: noon.seconds + time))
                .recentKeyCount
        }
        let image = SHA256.hash("image".utf8)
        #expect(try [1, 2, 3].map { try register($0, at: 0, image: image) } == [1, 2, 3])
        let error = failure { _ = try register(4, at: 100, image: image) }
        #expect(error?.code == .volatileKey)
        #expect(error?.reason.contains("4th") == true)
        #expect(try registry.key(thumbprint(3))?.state == .pending, "nothing was changed")
        // Another image, none, or another day.
        #expect(try register(4, at: 200, image: nil) == 1)
        #expect(try register(5, at: 200, image: SHA256.hash("other".utf8)) == 1)
        #expect(try register(6, at: 86_500, image: image) == 1)
        // No limit, no count.
        #expect(try registry.register(claim(7, device: identity(1)), at: noon).recentKeyCount == 0)
        #expect(try registry.verify().findings == [])
    }
}

/// Registries of version 1 become what this program writes.
@Suite struct MigrationTests {
    let files = try! TemporaryRegistry()

    /// Makes the file as version 1 did, with the events of `body` in it.
    private func makeVersion1(_ body: (SQLiteRegistry) throws -> Void) throws {
        try body(try files.open())
        try files.raw { database in
            // What version 2 added, taken back.
            try database.execute(
                sql: """
                    DROP TRIGGER key_insert; DROP TRIGGER key_update;
                    ALTER TABLE key DROP COLUMN possession_proven;
                    PRAGMA user_version = 1
                    """)
            let scripts = RegistrySchema.keyTable.components(separatedBy: "CREATE TRIGGER ")
            for name in ["key_insert", "key_update"] {
                let script = try #require(scripts.first { $0.hasPrefix(name) })
                try database.execute(sql: "CREATE TRIGGER " + script)
            }
        }
    }

    @Test func aRegistryOfVersion1IsBroughtUpToDate() throws {
        var head: LogHead?
        try makeVersion1 { registry in
            _ = try registry.register(claim(1, device: identity(1)), at: noon)
            try registry.activate(thumbprint(1), confirmation: [1], at: noon)
            _ = try registry.register(claim(2, device: identity(1)), at: noon)
            head = try registry.verify().head
        }
        let registry = try files.open()
        #expect(registry.schemaVersion == 2)
        #expect(try registry.verify(against: head).findings == [])
        #expect(try registry.key(thumbprint(1))?.isPossessionProven == true)
        #expect(try registry.register(claim(2, device: identity(1)), at: noon).isNew == false)
        _ = try registry.register(claim(3, device: identity(1)), at: noon)
        #expect(try registry.checkIntegrity().findings == [])
    }
}
