import Attestation
public import COSE
import GRDB
public import Issuance
import OpenSSL
public import Provisioning

extension SQLiteRegistry: DeviceRegistry {
    public func register(
        _ claim: RegistrationClaim, at now: NumericDate
    ) throws(ProvisioningError) -> RegistrationRecord {
        try write(at: now) { try $0.register(claim) }
    }

    public func record(
        _ credentials: [Credential], for thumbprint: [UInt8], at now: NumericDate
    ) throws(ProvisioningError) {
        try write(at: now) { try $0.record(credentials, for: thumbprint) }
    }

    public func activate(
        _ thumbprint: [UInt8], confirmation: [UInt8], at now: NumericDate
    ) throws(ProvisioningError) {
        try write(at: now) { try $0.activate(thumbprint, confirmation: confirmation) }
    }
}

/// Changes that commit together: they wait for the disk once, and a reason against one is a reason
/// against all.
package struct RegistryTransaction {
    private let log: EventLog

    fileprivate init(_ log: EventLog) { self.log = log }

    package func register(_ claim: RegistrationClaim) throws -> RegistrationRecord {
        try log.register(claim)
    }

    package func record(_ credentials: [Credential], for thumbprint: [UInt8]) throws {
        try log.record(credentials, for: thumbprint)
    }

    package func activate(_ thumbprint: [UInt8], confirmation: [UInt8]) throws {
        try log.activate(thumbprint, confirmation: confirmation)
    }

    package func key(_ thumbprint: [UInt8]) throws -> KeyRecord? {
        try log.database.key(thumbprint)
    }

    package func revoke(key thumbprint: [UInt8], reason: RevocationReason) throws {
        let key = try log.requireKey(thumbprint)
        try key.requireUnrevoked()
        try log.append(
            .keyRevoked(RegistryChange.Revoked(reason: reason.rawValue)), to: key.row)
    }
}

extension SQLiteRegistry {
    /// Many changes in one transaction. Nothing of it is promised before this returns.
    package func transaction<Value>(
        at now: NumericDate, _ body: @escaping (RegistryTransaction) throws -> Value
    ) throws(ProvisioningError) -> Value {
        try write(at: now) { try body(RegistryTransaction($0)) }
    }
}

extension EventLog {
    fileprivate func register(_ claim: RegistrationClaim) throws -> RegistrationRecord {
        if let known = try key(of: claim) { return try repeated(claim, known) }
        let known = try device(claim.identity)
        let recentCount = try recentKeyCount(of: known?.row, claim)
        let superseded = try supersede(with: claim, device: known?.row)
        let device = try known?.row ?? add(claim.identity)
        try append(
            .keyRegistered(
                RegistryChange.KeyRegistered(
                    device: device, keyID: claim.keyID,
                    thumbprint: Octets(claim.thumbprint), algorithm: claim.algorithm,
                    publicKey: Octets(claim.publicKey), basis: claim.basis.rawValue,
                    isImported: claim.isImported,
                    firmwareDigest: claim.firmwareDigest.map(Octets.init),
                    evidence: try keep(claim.evidence),
                    grounds: claim.grounds.map(\.rawValue).sorted(),
                    isPossessionProven: claim.isPossessionProven ? nil : false)))
        return RegistrationRecord(
            state: .pending, isNew: true, registeredAt: now, superseded: superseded,
            credentials: [], nickname: known?.nickname, recentKeyCount: recentCount)
    }

    fileprivate func record(_ credentials: [Credential], for thumbprint: [UInt8]) throws {
        let key = try requireKey(thumbprint)
        try key.requireUnrevoked()
        for credential in credentials { try record(credential, for: key) }
    }

    fileprivate func activate(_ thumbprint: [UInt8], confirmation: [UInt8]) throws {
        let key = try requireKey(thumbprint)
        try key.requireUnrevoked()
        guard key.state == .pending else { return }
        let digest = try keep(confirmation)
        try append(.keyActivated(RegistryChange.KeyActivated(confirmation: digest)), to: key.row)
    }

    /// The key that is the claim's, wholly or in part: x names a key, whether its y is known or not. Whoever
    /// has a key has its negative too, which has the same x: not a new key, and refused.
    fileprivate func key(of claim: RegistrationClaim) throws -> KeyRecord? {
        var (x, lowest, highest) = (claim.publicKey, claim.publicKey, claim.publicKey)
        switch claim.publicKey.count {
        case 65: x = Array(x[1...32])
        case 32: (lowest, highest) = ([0x04] + x, [0x04] + x + [UInt8](repeating: 0xff, count: 32))
        default: break
        }
        return try KeyRecord.fetchOne(
            database.cachedStatement(
                sql: KeyRecord.query + """
                    WHERE key.thumbprint = ? OR key.public_key = ? OR key.public_key = ?
                        OR key.public_key BETWEEN ? AND ?
                    """),
            [
                Octets(claim.thumbprint), Octets(claim.publicKey), Octets(x), Octets(lowest),
                Octets(highest),
            ])
    }

    /// How many keys the device got for the same image within a day, this one included. Zero where the
    /// claim sets no limit.
    private func recentKeyCount(of device: Int64?, _ claim: RegistrationClaim) throws -> Int {
        guard let limit = claim.recentKeyLimit else { return 0 }
        guard let device else { return 1 }
        let count =
            try Int.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT count(*) FROM key
                        WHERE device = ? AND registered_at > ? AND firmware_digest IS ?
                        """),
                arguments: [device, now.seconds - 86_400, claim.firmwareDigest.map(Octets.init)])
            ?? 0
        guard count < limit else {
            throw ProvisioningError(
                .volatileKey,
                "\(claim.identity) reports key \(Octets(claim.thumbprint).hexadecimal), its "
                    + "\(count + 1)th with the same image within a day",
                hint: "does its firmware store its key? if it does, and was erased, say "
                    + "--replace-key")
        }
        return count + 1
    }

    /// The same key again: nothing changes.
    fileprivate func repeated(
        _ claim: RegistrationClaim, _ known: KeyRecord
    ) throws -> RegistrationRecord {
        guard known.identity == claim.identity else {
            throw ProvisioningError(
                .keyShared,
                "key \(known.name) belongs to \(known.identity), "
                    + "and \(claim.identity) reports it too",
                hint: "a cloned image, or a weak random generator? "
                    + "erase the key of one of them, so that it makes another")
        }
        let hasBothY = known.publicKey.count == claim.publicKey.count
        guard
            !hasBothY || (known.thumbprint, known.publicKey) == (claim.thumbprint, claim.publicKey)
        else {
            throw ProvisioningError(
                .registryConflict,
                "\(claim.identity) reports key \(Octets(claim.thumbprint).hexadecimal), which is "
                    + "in part the registered key \(known.name)")
        }
        try known.requireUnrevoked()
        guard known.keyID == claim.keyID else {
            throw ProvisioningError(
                .registryConflict,
                "key \(known.name) is registered under key ID \(known.keyID), "
                    + "\(claim.identity) reports it under \(claim.keyID)",
                hint: "use the key ID under which it was registered")
        }
        return RegistrationRecord(
            state: known.state, isNew: false, registeredAt: known.registeredAt, superseded: [],
            credentials: try database.credentialsInForce(of: known.row),
            nickname: known.nickname,
            registeredThumbprint: hasBothY ? nil : known.thumbprint)
    }

    fileprivate func device(_ identity: DeviceIdentity) throws -> (row: Int64, nickname: String?)? {
        try database.cachedStatement(
            sql: "SELECT id, nickname FROM device WHERE device_id = ? AND board = ?"
        ).rows([Octets(identity.id.bytes), identity.board]) {
            (try $0.integer(), try $0.optionalText())
        }.next()
    }

    fileprivate func add(_ identity: DeviceIdentity) throws -> Int64 {
        try append(
            .deviceAdded(
                RegistryChange.DeviceAdded(
                    board: identity.board, deviceID: Octets(identity.id.bytes))))
    }

    /// Revokes the keys that the claim replaces. A device that is known and reports another key, under
    /// whatever key ID, must be believed for a reason: its ID alone is no secret. That holds all the
    /// more where its keys were revoked: somebody may have stolen it.
    fileprivate func supersede(
        with claim: RegistrationClaim, device: Int64?
    ) throws -> [[UInt8]] {
        guard let device else { return [] }
        if claim.grounds.isEmpty, let key = try lastKey(of: device) {
            throw ProvisioningError(
                .replacementUnproven,
                "\(claim.identity) has key \(key.name) (\(key.state.rawValue)), and nothing but its own word says that "
                    + "\(Octets(claim.thumbprint).hexadecimal) is a key of the same device",
                hint: "flash the device in the same run, let a probe read its ID, or say "
                    + "--replace-key")
        }
        let earlier = try keysInForce(of: device).filter {
            $0.keyID == claim.keyID || claim.hasErasedKeys
        }
        for key in earlier {
            try append(
                .keyRevoked(
                    RegistryChange.Revoked(
                        reason: RevocationReason.superseded.rawValue, note: nil,
                        supersededBy: Octets(claim.thumbprint))),
                to: key.row)
        }
        return earlier.map(\.thumbprint)
    }

    private func lastKey(of device: Int64) throws -> KeyRecord? {
        try KeyRecord.fetchOne(
            database.cachedStatement(
                sql: KeyRecord.query + "WHERE key.device = ? ORDER BY key.id DESC LIMIT 1"),
            [device])
    }

    /// Never the revoked ones too: a board that is flashed every day has many.
    private func keysInForce(of device: Int64) throws -> [KeyRecord] {
        try KeyRecord.fetchAll(
            database.cachedStatement(
                sql: KeyRecord.query
                    + "WHERE key.device = ? AND key.state <> 'revoked' ORDER BY key.id"),
            [device])
    }

    fileprivate func record(_ credential: Credential, for key: KeyRecord) throws {
        let document = try keep(credential.bytes)
        let earlier = try database.credentialRecords(of: key.row, type: credential.type)
            .first { $0.revocation == nil }
        if let earlier {
            if earlier.digest == document.bytes, earlier.issuer == credential.issuer,
                earlier.serialNumber == credential.serialNumber
            {
                return
            }
            try append(
                .credentialRevoked(
                    RegistryChange.Revoked(
                        reason: RevocationReason.superseded.rawValue, note: nil,
                        supersededBy: document)),
                to: earlier.row)
        }
        do {
            try append(
                .credentialIssued(
                    RegistryChange.CredentialIssued(
                        key: key.row, type: credential.type.rawValue,
                        issuer: Octets(credential.issuer),
                        serialNumber: credential.serialNumber.isEmpty
                            ? nil : Octets(credential.serialNumber),
                        document: document, notBefore: credential.notBefore.seconds,
                        notAfter: credential.notAfter?.seconds)))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw try serialConflict(credential) ?? error
        }
    }

    private func serialConflict(_ credential: Credential) throws -> (any Error)? {
        let serial = Octets(credential.serialNumber)
        let holder = try database.credentialRecords(serialNumber: serial.bytes)
            .first { $0.issuer == credential.issuer }
        return holder.map {
            ProvisioningError(
                .registryConflict,
                "serial number \(serial.hexadecimal) of issuer "
                    + "\(Octets(credential.issuer).hexadecimal) was given to the credential for "
                    + "key \(Octets($0.thumbprint).hexadecimal)",
                hint: "issue again, with another random serial number")
        }
    }
}
