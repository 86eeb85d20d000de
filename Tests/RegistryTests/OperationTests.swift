import Attestation
import COSE
import Provisioning
import Testing

@testable import Registry

/// What a user does with a registry, beyond provisioning.
@Suite struct OperationTests {
    let files = try! TemporaryRegistry()

    @Test func `Revoking a device revokes its keys and credentials`() throws {
        let registry = try files.open()
        let device = identity(1)
        for keyID: UInt32 in [1, 2] {
            let key = Int(keyID)
            _ = try registry.register(claim(key, device: device, keyID: keyID), at: noon)
            try registry.record(
                [credential(key), credential(key + 10, type: .trustAnchors)],
                for: thumbprint(key), at: noon)
        }
        let outcome = try registry.revoke(
            .device(device), reason: .cessationOfOperation, at: noon, note: "end of life")
        #expect(outcome.keys.map(\.thumbprint) == [thumbprint(1), thumbprint(2)])
        #expect(outcome.keys.allSatisfy { $0.revocation?.reason == .cessationOfOperation })
        #expect(outcome.credentials.count == 4)
        #expect(outcome.credentials.allSatisfy { $0.revocation?.reason == .cessationOfOperation })
        let again = failure {
            try registry.revoke(.device(device), reason: .unspecified, at: noon)
        }
        #expect(again?.code == .keyRevoked)
        #expect(again?.reason.contains("cessation-of-operation") == true)
        let unknown = failure {
            try registry.revoke(.device(identity(9)), reason: .unspecified, at: noon)
        }
        #expect(unknown?.code == .notFound)
    }

    @Test func `Revoking a certificate leaves its key`() throws {
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        try registry.record(
            [credential(1), credential(2, type: .cwt)], for: thumbprint(1), at: noon)
        let selector = RevocationSelector.credential(
            serialNumber: credential(1).serialNumber, issuer: nil)
        let outcome = try registry.revoke(selector, reason: .privilegeWithdrawn, at: noon)
        #expect(outcome.keys.isEmpty && outcome.credentials.count == 1)
        #expect(try registry.key(thumbprint(1))?.state == .pending)
        #expect(
            try registry.credentialsInForce(for: thumbprint(1)) == [credential(2, type: .cwt)])
        let again = failure { try registry.revoke(selector, reason: .unspecified, at: noon) }
        #expect(again?.code == .keyRevoked)
        #expect(again?.reason.contains("privilege-withdrawn") == true)
    }

    @Test func `A reinstated key is pending, and the log shows it`() throws {
        let registry = try files.open()
        let device = identity(1)
        _ = try registry.register(claim(1, device: device), at: noon)
        try registry.record([credential(1)], for: thumbprint(1), at: noon)
        try registry.activate(thumbprint(1), confirmation: [1], at: noon)
        #expect(
            failure { try registry.reinstate(key: thumbprint(1), at: noon) }?.code
                == .registryConflict)
        try registry.revoke(.key(thumbprint(1)), reason: .keyCompromise, at: noon)
        try registry.reinstate(key: thumbprint(1), at: noon, note: "found under the desk")
        let key = try #require(try registry.key(thumbprint(1)))
        #expect(key.state == .pending && key.revocation == nil && key.activatedAt == nil)
        // Its certificate stays revoked: the list may have been published.
        #expect(try registry.revokedCertificates().count == 1)
        let record = try registry.register(claim(1, device: device), at: noon)
        #expect(!record.isNew && record.credentials.isEmpty)
        try registry.record([credential(2)], for: thumbprint(1), at: noon)
        try registry.activate(thumbprint(1), confirmation: [2], at: noon)
        #expect(try registry.key(thumbprint(1))?.state == .active)
        let history = try registry.history(of: thumbprint(1))
        #expect(
            history.contains { $0.kind == .keyReinstated && $0.body.contains("under the desk") })
        #expect(try registry.verify().findings == [])
    }

    @Test func `A key can't come back while another has its place`() throws {
        let registry = try files.open()
        for key in 1...2 { _ = try registry.register(claim(key, device: identity(1)), at: noon) }
        let error = failure { try registry.reinstate(key: thumbprint(1), at: noon) }
        #expect(error?.code == .registryConflict)
        #expect(error?.reason.contains(hexadecimal(thumbprint(2))) == true)
        try registry.revoke(.key(thumbprint(2)), reason: .unspecified, at: noon)
        try registry.reinstate(key: thumbprint(1), at: noon)
        #expect(try registry.verify().findings == [])
    }

    @Test func `A transaction is recorded as a whole, or not at all`() throws {
        struct ChangeOfMind: Error {}
        let registry = try files.open()
        for isLeft in [true, false] {
            let error = failure {
                try registry.transaction(at: noon) { transaction in
                    for key in 1...2 {
                        #expect(
                            try transaction.register(claim(key, device: identity(key))).isNew)
                    }
                    try transaction.record([credential(1)], for: thumbprint(1))
                    try transaction.activate(thumbprint(1), confirmation: [1, 2, 3])
                    #expect(try transaction.key(thumbprint(1))?.state == .active)
                    try transaction.revoke(key: thumbprint(2), reason: .keyCompromise)
                    if isLeft { throw ChangeOfMind() }
                }
            }
            #expect((error != nil) == isLeft)
            #expect(try registry.key(thumbprint(1))?.state == (isLeft ? nil : .active))
            #expect(try registry.key(thumbprint(2))?.state == (isLeft ? nil : .revoked))
            #expect(try registry.verify().isIntact)
            #expect(try (registry.verify().head == .empty) == isLeft)
        }
        #expect(try registry.credentialsInForce(for: thumbprint(1)) == [credential(1)])
        let again = failure {
            try registry.transaction(at: noon) {
                try $0.revoke(key: thumbprint(2), reason: .unspecified)
            }
        }
        #expect(again?.code == .keyRevoked)
        #expect(again?.reason.contains("key-compromise") == true)
    }

    /// Two names for one key, or one for two: something is wrong with whoever computed them.
    @Test func `A key that is in part another one is refused`() throws {
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        let (known, other) = (claim(1, device: identity(1)), claim(2, device: identity(1)))
        for (publicKey, thumbprint) in [
            (known.publicKey, other.thumbprint), (other.publicKey, known.thumbprint),
        ] {
            var mixed = known
            mixed.publicKey = publicKey
            mixed.thumbprint = thumbprint
            let error = failure { _ = try registry.register(mixed, at: noon) }
            #expect(error?.code == .registryConflict)
            #expect(error?.reason.contains(hexadecimal(thumbprint)) == true)
            #expect(error?.reason.contains("in part the registered key") == true)
        }
        #expect(try registry.key(thumbprint(1))?.state == .pending)
        #expect(try registry.key(thumbprint(2)) == nil)
    }

    @Test func `A serial number is used once by an issuer`() throws {
        let registry = try files.open()
        for key in 1...2 { _ = try registry.register(claim(key, device: identity(key)), at: noon) }
        try registry.record([credential(1)], for: thumbprint(1), at: noon)
        let before = try registry.verify().head
        let error = failure {
            try registry.record(
                [credential(7, type: .cwt), credential(1)], for: thumbprint(2), at: noon)
        }
        #expect(error?.code == .registryConflict)
        #expect(error?.reason.contains(hexadecimal(credential(1).serialNumber)) == true)
        #expect(error?.reason.contains(hexadecimal(thumbprint(1))) == true)
        // All or nothing: the CWT was not recorded either.
        #expect(try registry.verify().head == before)
        let other = [UInt8](repeating: 7, count: 32)
        try registry.record([credential(1, issuer: other)], for: thumbprint(2), at: noon)
        let serial = credential(1).serialNumber
        #expect(try registry.credentials(serialNumber: serial).count == 2)
        #expect(
            try registry.credentials(serialNumber: serial, issuer: other).map(\.thumbprint)
                == [thumbprint(2)])
        let ambiguous = failure {
            try registry.revoke(
                .credential(serialNumber: serial, issuer: nil), reason: .unspecified, at: noon)
        }
        #expect(ambiguous?.code == .usage)
        #expect(ambiguous?.reason.contains(hexadecimal(other)) == true)
    }

    @Test func `A newer credential supersedes the earlier of its type`() throws {
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        try registry.record([credential(1)], for: thumbprint(1), at: noon)
        try registry.record(
            [credential(2), credential(3, type: .cwt)], for: thumbprint(1), at: noon)
        #expect(
            try registry.credentialsInForce(for: thumbprint(1))
                == [credential(2), credential(3, type: .cwt)])
        let revoked = try registry.revokedCertificates(of: issuer)
        #expect(revoked.map(\.serialNumber) == [credential(1).serialNumber])
        #expect(revoked.map(\.revocation.reason) == [.superseded])
        #expect(try registry.revokedCertificates(of: thumbprint(1)).isEmpty)
    }

    @Test func `List numbers grow, for each issuer, also after reopening`() throws {
        let other = [UInt8](repeating: 7, count: 32)
        let first = try files.open()
        #expect(try first.nextCRLNumber(of: issuer, at: noon).value == 1)
        #expect(try first.nextCRLNumber(of: issuer, at: noon).value == 2)
        let second = try files.open()
        #expect(try second.nextCRLNumber(of: issuer, at: noon).value == 3)
        #expect(try second.nextCRLNumber(of: other, at: noon).value == 1)
    }

    /// The order of events is their number: time may stand still or go back.
    @Test func `A clock that goes backwards changes no order`() throws {
        let registry = try files.open()
        let device = identity(1)
        for key in 1...5 {
            let time = NumericDate(seconds: noon.seconds - Int64(key) * 86_400)
            _ = try registry.register(claim(key, device: device), at: time)
        }
        let keys = try #require(try registry.device(device)).keys
        #expect(keys.map(\.thumbprint) == (1...5).map(thumbprint))
        #expect(keys.last?.state == .pending)
        #expect(try registry.verify().findings == [])
    }
}
