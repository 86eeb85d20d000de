import Attestation
import GRDB
import Issuance
import Provisioning

extension Database {
    func device(_ identity: DeviceIdentity) throws -> DeviceRecord? {
        let row = try Row.fetchOne(
            cachedStatement(sql: "SELECT * FROM device WHERE device_id = ? AND board = ?"),
            arguments: [Octets(identity.id.bytes), identity.board])
        return try row.map { try DeviceRecord(row: $0, database: self) }
    }

    /// - Throws: `.notFound`.
    func requireDevice(_ identity: DeviceIdentity) throws -> DeviceRecord {
        guard let device = try device(identity) else {
            throw ProvisioningError(.notFound, "no device \(identity) is registered")
        }
        return device
    }

    func key(_ thumbprint: [UInt8]) throws -> KeyRecord? {
        let row = try Row.fetchOne(
            cachedStatement(sql: KeyRecord.query + "WHERE key.thumbprint = ?"),
            arguments: [Octets(thumbprint)])
        return try row.map(KeyRecord.init(row:))
    }

    func credentialRecords(of keyRow: Int64) throws -> [CredentialRecord] {
        try Row.fetchAll(
            cachedStatement(
                sql: CredentialRecord.query + "WHERE credential.key = ? ORDER BY credential.id"),
            arguments: [keyRow]
        ).map(CredentialRecord.init(row:))
    }

    func credentialRecords(
        of keyRow: Int64, type: CredentialType
    ) throws -> [CredentialRecord] {
        try credentialRecords(of: keyRow).filter { $0.type == type }
    }

    /// More than one if several issuers used the same number.
    func credentialRecords(serialNumber: [UInt8]) throws -> [CredentialRecord] {
        try Row.fetchAll(
            cachedStatement(sql: CredentialRecord.query + "WHERE credential.serial = ?"),
            arguments: [Octets(serialNumber)]
        ).map(CredentialRecord.init(row:))
    }

    func credentialsInForce(of keyRow: Int64) throws -> [Credential] {
        try credentialRecords(of: keyRow).filter { $0.revocation == nil }.map { record in
            guard let bytes = try document(record.digest) else {
                throw ProvisioningError(
                    .registryDamaged,
                    "the bytes of credential \(Octets(record.digest).hexadecimal) are missing")
            }
            return Credential(
                type: record.type, bytes: bytes, serialNumber: record.serialNumber,
                issuer: record.issuer, notBefore: record.notBefore, notAfter: record.notAfter)
        }
    }

    func document(_ digest: [UInt8]) throws -> [UInt8]? {
        let row = try Row.fetchOne(
            cachedStatement(sql: "SELECT bytes FROM document WHERE digest = ?"),
            arguments: [Octets(digest)])
        return try row.map { try $0.octets("bytes") }
    }
}

extension EventLog {
    /// - Throws: `.notFound`.
    func requireKey(_ thumbprint: [UInt8]) throws -> KeyRecord {
        guard let key = try database.key(thumbprint) else {
            throw ProvisioningError(
                .notFound, "no key \(Octets(thumbprint).hexadecimal) is registered")
        }
        return key
    }
}
