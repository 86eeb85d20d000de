import Attestation
import GRDB
import Issuance
import Provisioning

extension Database {
    func device(_ identity: DeviceIdentity) throws -> DeviceRecord? {
        try DeviceRecord.fetchAll(
            cachedStatement(sql: DeviceRecord.query + "WHERE device_id = ? AND board = ?"),
            [Octets(identity.id.bytes), identity.board], in: self
        ).first
    }

    /// - Throws: `.notFound`.
    func requireDevice(_ identity: DeviceIdentity) throws -> DeviceRecord {
        guard let device = try device(identity) else {
            throw ProvisioningError(.notFound, "no device \(identity) is registered")
        }
        return device
    }

    func key(_ thumbprint: [UInt8]) throws -> KeyRecord? {
        try KeyRecord.fetchOne(
            cachedStatement(sql: KeyRecord.query + "WHERE key.thumbprint = ?"),
            [Octets(thumbprint)])
    }

    func credentialRecords(of keyRow: Int64) throws -> [CredentialRecord] {
        try CredentialRecord.fetchAll(
            cachedStatement(
                sql: CredentialRecord.query + "WHERE credential.key = ? ORDER BY credential.id"),
            [keyRow])
    }

    func credentialRecords(
        of keyRow: Int64, type: CredentialType
    ) throws -> [CredentialRecord] {
        try credentialRecords(of: keyRow).filter { $0.type == type }
    }

    /// More than one if several issuers used the same number.
    func credentialRecords(serialNumber: [UInt8]) throws -> [CredentialRecord] {
        try CredentialRecord.fetchAll(
            cachedStatement(sql: CredentialRecord.query + "WHERE credential.serial = ?"),
            [Octets(serialNumber)])
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
        try cachedStatement(sql: "SELECT bytes FROM document WHERE digest = ?")
            .rows([Octets(digest)]) { try $0.octets() }.next()
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
