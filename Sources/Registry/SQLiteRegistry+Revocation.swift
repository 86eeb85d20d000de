public import Attestation
public import COSE
import Foundation
import GRDB
public import Provisioning

/// What to revoke.
public enum RevocationSelector: Sendable, Hashable {
    /// Every key of this device that is not revoked, with its credentials.
    case device(DeviceIdentity)
    /// The key with this thumbprint, with its credentials.
    case key([UInt8])
    /// One credential only. The issuer may be left out if only one used the serial number.
    case credential(serialNumber: [UInt8], issuer: [UInt8]?)
}

/// What was revoked, as it stands after it.
public struct RevocationOutcome: Sendable, Hashable {
    public let keys: [KeyRecord]
    public let credentials: [CredentialRecord]

    public init(keys: [KeyRecord], credentials: [CredentialRecord]) {
        self.keys = keys
        self.credentials = credentials
    }
}

extension SQLiteRegistry {
    /// Revokes a device's keys, one key or one credential, in one transaction.
    ///
    /// - Parameter note: The user's words, kept in the log.
    /// - Throws: `.keyRevoked` if it is revoked already, naming when and why; `.notFound`;
    ///   `.usage` if several issuers used the serial number, naming them.
    @discardableResult
    public func revoke(
        _ selector: RevocationSelector, reason: RevocationReason, at now: NumericDate,
        note: String? = nil
    ) throws(ProvisioningError) -> RevocationOutcome {
        let body = RegistryChange.Revoked(reason: reason.rawValue, note: note)
        return try write(at: now) { log in
            switch selector {
            case .device(let identity):
                return try log.revoke(
                    try log.keysToRevoke(of: try log.database.requireDevice(identity)), body)
            case .key(let thumbprint):
                let key = try log.requireKey(thumbprint)
                try key.requireUnrevoked()
                return try log.revoke([key], body)
            case .credential(let serialNumber, let issuer):
                let credential = try log.credentialToRevoke(serialNumber, issuer)
                try log.append(.credentialRevoked(body), to: credential.row)
                let revoked = try log.database.credentialRecords(of: credential.keyRow)
                    .filter { $0.row == credential.row }
                return RevocationOutcome(keys: [], credentials: revoked)
            }
        }
    }

    /// What `revoke` would revoke, as it stands now.
    ///
    /// - Throws: as `revoke` would.
    public func revocable(
        _ selector: RevocationSelector, at now: NumericDate
    ) throws(ProvisioningError) -> RevocationOutcome {
        try read { database in
            let log = try EventLog(database: database, now: now)
            let keys: [KeyRecord]
            switch selector {
            case .device(let identity):
                keys = try log.keysToRevoke(of: try database.requireDevice(identity))
            case .key(let thumbprint):
                keys = [try log.requireKey(thumbprint)]
                try keys[0].requireUnrevoked()
            case .credential(let serialNumber, let issuer):
                return RevocationOutcome(
                    keys: [], credentials: [try log.credentialToRevoke(serialNumber, issuer)])
            }
            let credentials = try keys.flatMap { try database.credentialRecords(of: $0.row) }
            return RevocationOutcome(
                keys: keys, credentials: credentials.filter { $0.revocation == nil })
        }
    }

    /// Takes a key's revocation back. It is `pending` again: its credentials stay revoked, for a
    /// published revocation can't be called back, and the device must confirm new ones.
    ///
    /// - Throws: `.registryConflict` if the key is not revoked, or the device has another key of
    ///   the same key ID by now, naming it; `.notFound`.
    public func reinstate(
        key thumbprint: [UInt8], at now: NumericDate, note: String? = nil
    ) throws(ProvisioningError) {
        try write(at: now) { log in
            let key = try log.requireKey(thumbprint)
            guard key.state == .revoked else {
                throw ProvisioningError(
                    .registryConflict,
                    "key \(key.name) of \(key.identity) is \(key.state.rawValue), not revoked",
                    hint: "list those that are: provision keys --state revoked")
            }
            let others = try log.database.requireDevice(key.identity).keys
            if let other = others.first(where: { $0.keyID == key.keyID && $0.state != .revoked }) {
                throw ProvisioningError(
                    .registryConflict,
                    "\(key.identity) has key \(other.name) now, so \(key.name) can't come back",
                    hint: "revoke that key first")
            }
            try log.append(.keyReinstated(RegistryChange.KeyReinstated(note: note)), to: key.row)
        }
    }

    /// Gives a device a name, or takes it away. The same name again changes nothing.
    ///
    /// - Parameter nickname: 1 to 64 characters without control characters or `/`, and no device ID, of
    ///   whatever device. Kept in normalisation form C: what looks the same is the same name.
    /// - Throws: `.registryConflict` if another device has the name, naming it; `.usage` if it is
    ///   no name; `.notFound`.
    public func setNickname(
        _ nickname: String?, of identity: DeviceIdentity, at now: NumericDate
    ) throws(ProvisioningError) {
        let nickname = nickname?.precomposedStringWithCanonicalMapping
        if let nickname { try Self.requireNickname(nickname) }
        try write(at: now) { log in
            let device = try log.database.requireDevice(identity)
            guard device.nickname != nickname else { return }
            let holder = try DeviceIdentity.fetchOne(
                log.database.cachedStatement(
                    sql: "SELECT board, device_id FROM device WHERE nickname IN (?, ?)"),
                [nickname, nickname?.decomposedStringWithCanonicalMapping])
            if let nickname, let holder {
                throw ProvisioningError(
                    .registryConflict,
                    "\(nickname) is the name of \(holder) already, "
                        + "so \(identity) can't have it",
                    hint: "take another one, or that one away: provision devices name "
                        + "\(holder) --remove")
            }
            try log.append(
                .deviceNamed(RegistryChange.DeviceNamed(nickname: nickname)), to: device.row)
        }
    }

    private static func requireNickname(_ nickname: String) throws(ProvisioningError) {
        let isPrintable = nickname.unicodeScalars.allSatisfy { $0.isPrintable && $0 != "/" }
        guard isPrintable, (1...64).contains(nickname.unicodeScalars.count),
            nickname.contains(where: { !$0.isWhitespace })
        else {
            throw ProvisioningError(
                .usage,
                "a nickname has 1 to 64 printable characters and no slash, not "
                    + nickname.debugDescription,
                hint: "take another one; without any, the device is named by its ID")
        }
        guard DeviceID(hexadecimal: nickname) == nil else {
            throw ProvisioningError(
                .usage, "\(nickname) may be the ID of another device, so it can't be a nickname",
                hint: "take one with another character than 0 to 9 and a to f")
        }
    }

    /// The number for the next revocation list of an issuer: 1, 2, 3 …, never the same twice.
    /// RFC 5280 §5.2.3.
    ///
    /// - Parameter issuer: SHA-256 of the issuing key's SubjectPublicKeyInfo, 32 octets.
    public func nextCRLNumber(
        of issuer: [UInt8], at now: NumericDate
    ) throws(ProvisioningError) -> CRLNumber {
        try write(at: now) { log in
            let last = try Int64.fetchOne(
                log.database, sql: "SELECT max(number) FROM revocation_list WHERE issuer = ?",
                arguments: [Octets(issuer)])
            let number = (last ?? 0) &+ 1
            let event = try log.append(
                .listNumbered(RegistryChange.ListNumbered(issuer: Octets(issuer), number: number)))
            return CRLNumber(value: number, row: event)
        }
    }
}

/// The number of a revocation list, and with it what the list says: all that was revoked before the
/// number was given. So of two lists that are made at once, the later number never says less.
public struct CRLNumber: Sendable, Hashable {
    public let value: Int64
    /// The event that gave it.
    let row: Int64
}

extension EventLog {
    fileprivate func revoke(
        _ keys: [KeyRecord], _ body: RegistryChange.Revoked
    ) throws -> RevocationOutcome {
        var credentials: [CredentialRecord] = []
        var revoked: [KeyRecord] = []
        for key in keys {
            let event = try append(.keyRevoked(body), to: key.row)
            revoked += try database.key(key.thumbprint).map { [$0] } ?? []
            credentials += try CredentialRecord.fetchAll(
                database.cachedStatement(
                    sql: CredentialRecord.query + """
                        WHERE credential.key = ? AND credential.event = ? ORDER BY credential.id
                        """), [key.row, event])
        }
        return RevocationOutcome(keys: revoked, credentials: credentials)
    }

    fileprivate func keysToRevoke(of device: DeviceRecord) throws -> [KeyRecord] {
        let keys = device.keys.filter { $0.state != .revoked }
        if keys.isEmpty { try device.keys.last?.requireUnrevoked() }
        return keys
    }

    fileprivate func credentialToRevoke(
        _ serialNumber: [UInt8], _ issuer: [UInt8]?
    ) throws -> CredentialRecord {
        let name = Octets(serialNumber).hexadecimal
        let found = try database.credentialRecords(serialNumber: serialNumber)
            .filter { issuer == nil || $0.issuer == issuer }
        guard let credential = found.first else {
            throw ProvisioningError(
                .notFound, "no credential has the serial number \(name)",
                hint: "list them: provision export --format jsonl")
        }
        guard found.count == 1 else {
            let issuers = found.map { Octets($0.issuer).hexadecimal }.joined(separator: ", ")
            throw ProvisioningError(
                .usage, "the issuers \(issuers) used serial number \(name)", hint: "name the issuer"
            )
        }
        if let revocation = credential.revocation {
            throw ProvisioningError(
                .keyRevoked, "credential \(name) was revoked \(revocation.phrase)",
                hint: "that is for ever; the next run gives its key a new one")
        }
        return credential
    }
}
