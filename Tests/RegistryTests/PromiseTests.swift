import COSE
import GRDB
import OpenSSL
import Provisioning
import Testing

@testable import Registry

/// The registry's six promises, each against a real file.
@Suite struct PromiseTests {
    let files = try! TemporaryRegistry()

    @Test func `1 at most one unrevoked key per board, device ID and key ID`() throws {
        let registry = try files.open()
        let device = identity(1)
        for key in 1...5 { _ = try registry.register(claim(key, device: device), at: noon) }
        _ = try registry.register(claim(6, device: device, keyID: 2), at: noon)
        _ = try registry.register(claim(7, device: identity(1, board: "other")), at: noon)

        #expect(try files.count("key WHERE state <> 'revoked'") == 3)
        #expect(try registry.key(thumbprint(5))?.state == .pending)
        // The index alone, without the triggers, refuses a second one too.
        try files.raw { database in
            try database.execute(sql: "BEGIN; DROP TRIGGER key_update")
            #expect(throws: DatabaseError.self) {
                try database.execute(
                    sql: """
                        UPDATE key SET state = 'pending', revoked_at = NULL,
                            revocation_reason = NULL
                        WHERE thumbprint = ?
                        """, arguments: [Octets(thumbprint(4))])
            }
            try database.execute(sql: "ROLLBACK")
        }
        #expect(try registry.verify().findings == [])
    }

    @Test func `2 a new key and the revocation of the earlier commit together`() throws {
        let registry = try files.open()
        let device = identity(1)
        _ = try registry.register(claim(1, device: device), at: noon)
        try registry.record(
            [credential(1), credential(2, type: .cwt)], for: thumbprint(1), at: noon)
        let record = try registry.register(claim(2, device: device), at: noon)

        #expect(record.isNew && record.superseded == [thumbprint(1)])
        let earlier = try #require(try registry.key(thumbprint(1)))
        #expect(earlier.revocation == Revocation(date: noon, reason: .superseded))
        let credentials = try registry.credentials(of: thumbprint(1))
        #expect(credentials.count == 2)
        #expect(credentials.allSatisfy { $0.revocation?.reason == .superseded })
        // The new key fails after the earlier was revoked: its public key is too short.
        var broken = claim(3, device: device)
        broken.publicKey = [4]
        #expect(failure { _ = try registry.register(broken, at: noon) }?.code == .registryConflict)
        #expect(try registry.key(thumbprint(2))?.state == .pending)
        #expect(try registry.verify().findings == [])
    }

    @Test func `2 revoked is for ever`() throws {
        let registry = try files.open()
        let device = identity(1)
        _ = try registry.register(claim(1, device: device), at: noon)
        _ = try registry.register(claim(2, device: device), at: noon)
        let before = try registry.verify().head

        let again = failure { _ = try registry.register(claim(1, device: device), at: noon) }
        #expect(again?.code == .keyRevoked)
        #expect(again?.reason.contains("2026-11-18T11:06:40Z (superseded)") == true)
        let recorded = failure {
            try registry.record([credential(1)], for: thumbprint(1), at: noon)
        }
        #expect(recorded?.code == .keyRevoked)
        let activated = failure {
            try registry.activate(thumbprint(1), confirmation: [1], at: noon)
        }
        #expect(activated?.code == .keyRevoked)
        #expect(try registry.verify().head == before)
    }

    @Test func `2 a device that only claims an ID can't get another's key revoked`() throws {
        let registry = try files.open()
        let device = identity(1)
        _ = try registry.register(claim(1, device: device), at: noon)
        let before = try registry.verify().head
        let error = failure {
            _ = try registry.register(claim(2, device: device, grounds: []), at: noon)
        }
        #expect(error?.code == .replacementUnproven)
        #expect(error?.reason.contains(hexadecimal(thumbprint(1))) == true)
        #expect(error?.reason.contains(hexadecimal(thumbprint(2))) == true)
        #expect(try registry.verify().head == before)
        #expect(try registry.key(thumbprint(1))?.state == .pending)
        #expect(try registry.key(thumbprint(2)) == nil)
        // Without an earlier key, nothing needs to be believed.
        _ = try registry.register(claim(2, device: identity(2), grounds: []), at: noon)
    }

    @Test func `3 one public key belongs to one device`() throws {
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        let error = failure {
            _ = try registry.register(claim(1, device: identity(2)), at: noon)
        }
        #expect(error?.code == .keyShared)
        #expect(error?.reason.contains(identity(1).description) == true)
        #expect(error?.reason.contains(identity(2).description) == true)
        #expect(try registry.device(identity(2)) == nil)
        // Under another thumbprint it is still the same public key.
        var renamed = claim(1, device: identity(2))
        renamed.thumbprint = thumbprint(9)
        #expect(failure { _ = try registry.register(renamed, at: noon) }?.code == .keyShared)
        // On the same device, under another key ID, it is a mistake too.
        let moved = failure {
            _ = try registry.register(claim(1, device: identity(1), keyID: 2), at: noon)
        }
        #expect(moved?.code == .registryConflict)
    }

    @Test func `4 the same key again changes nothing`() throws {
        let registry = try files.open()
        let same = claim(1, device: identity(1))
        _ = try registry.register(same, at: noon)
        let delivered = [
            credential(1), credential(2, type: .cwt), credential(3, type: .trustAnchors),
        ]
        try registry.record(delivered, for: thumbprint(1), at: noon)
        try registry.activate(thumbprint(1), confirmation: [1, 2, 3], at: noon)
        let before = try registry.verify().head

        let later = NumericDate(seconds: noon.seconds + 60)
        let record = try registry.register(same, at: later)
        #expect(
            record
                == RegistrationRecord(
                    state: .active, isNew: false, registeredAt: noon, superseded: [],
                    credentials: delivered, nickname: nil))
        try registry.record(delivered, for: thumbprint(1), at: later)
        try registry.activate(thumbprint(1), confirmation: [4, 5, 6], at: later)
        #expect(try registry.verify().head == before)
        // A re-flash proves nothing about the evidence: grounds don't matter either.
        #expect(
            try registry.register(claim(1, device: identity(1), grounds: []), at: later).isNew
                == false)
    }

    @Test func `5 nothing is deleted and every change is an event`() throws {
        let registry = try files.open()
        let device = identity(1)
        _ = try registry.register(claim(1, device: device), at: noon)
        try registry.record([credential(1)], for: thumbprint(1), at: noon)
        try registry.record([credential(2)], for: thumbprint(1), at: noon)
        try registry.activate(thumbprint(1), confirmation: [1], at: noon)
        try registry.setNickname("lamp", of: device, at: noon)
        try registry.revoke(.key(thumbprint(1)), reason: .keyCompromise, at: noon, note: "lost")
        try registry.reinstate(key: thumbprint(1), at: noon, note: "found")
        _ = try registry.nextCRLNumber(of: issuer, at: noon)

        var kinds: [RegistryEventKind] = []
        var previous = [UInt8](repeating: 0, count: 32)
        try registry.snapshot().forEachEvent { event in
            kinds.append(event.kind)
            #expect(event.previous == previous && event.hash == event.expectedHash)
            previous = event.hash
        }
        #expect(
            kinds == [
                .deviceAdded, .keyRegistered, .credentialIssued, .credentialRevoked,
                .credentialIssued, .keyActivated, .deviceNamed, .keyRevoked, .keyReinstated,
                .listNumbered,
            ])
        #expect(try registry.history(of: thumbprint(1)).count == 7)
        let report = try registry.checkIntegrity()
        #expect(report.findings == [] && report.isIntact && report.eventCount == 10)
        #expect(try files.count("document") == 4)
    }

    @Test func `6 committed before it is promised`() throws {
        let registry = try files.open()
        let (synchronous, mode) = try registry.pool.writeWithoutTransaction { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode")
            )
        }
        #expect(synchronous == 2 && mode == "wal")
        // Another connection sees each change as soon as the call has returned.
        let other = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        #expect(try other.key(thumbprint(1)) != nil)
        try registry.record([credential(1)], for: thumbprint(1), at: noon)
        #expect(try other.credentialsInForce(for: thumbprint(1)) == [credential(1)])
        // Nothing can be recorded for a key that is not registered.
        let error = failure { try registry.record([credential(2)], for: thumbprint(2), at: noon) }
        #expect(error?.code == .notFound)
    }
}
