public import COSE
import GRDB
public import Provisioning

/// One entry of a certificate revocation list, RFC 5280 §5.1.2.6.
public struct RevokedCertificate: Sendable, Hashable {
    /// SHA-256 of the issuing key's SubjectPublicKeyInfo, 32 octets.
    public let issuer: [UInt8]
    /// Big endian, at most 20 octets.
    public let serialNumber: [UInt8]
    public let revocation: Revocation
    /// Nil: no expiry. A list may leave out a certificate after it expired, RFC 5280 §3.3.
    public let notAfter: NumericDate?
}

/// Streams: one record at a time, in constant memory, from one snapshot of the registry.
///
/// `body` may take its time, for others go on writing meanwhile; it must not call the registry.
extension SQLiteRegistry {
    /// Every device that matches, with its keys, in the order of registration.
    public func forEachDeviceRecord(
        matching filter: DeviceFilter = .all,
        _ body: (DeviceRecord) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        try eachDevice(matching: filter, after: nil, limit: nil, body)
    }

    /// Every key that matches, in the order of registration.
    public func forEachKeyRecord(
        matching filter: KeyFilter = .all,
        _ body: (KeyRecord) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        try eachKey(matching: filter, after: nil, limit: nil, body)
    }

    /// Every revoked certificate, also those whose key was revoked: of one issuer, or of all.
    public func forEachRevokedCertificate(
        of issuer: [UInt8]? = nil,
        _ body: (RevokedCertificate) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        var condition = Condition()
        condition.require("issuer = ?", issuer.map(Octets.init))
        let sql = """
            SELECT issuer, serial, revoked_at, revocation_reason, not_after FROM credential
            \(condition.sql) AND type = 1 AND state = 'revoked' ORDER BY id
            """
        try read { database in
            let rows = try Row.fetchCursor(database, sql: sql, arguments: condition.arguments)
            while let row = try rows.next() {
                guard let revocation = try Revocation.read(row) else { continue }
                try body(
                    RevokedCertificate(
                        issuer: try row.octets("issuer"), serialNumber: try row.octets("serial"),
                        revocation: revocation, notAfter: try row.optionalDate("not_after")))
            }
        }
    }

    /// `forEachRevokedCertificate`, in one array.
    public func revokedCertificates(
        of issuer: [UInt8]? = nil
    ) throws(ProvisioningError) -> [RevokedCertificate] {
        var certificates: [RevokedCertificate] = []
        try forEachRevokedCertificate(of: issuer) {
            (certificate) throws(ProvisioningError) in certificates.append(certificate)
        }
        return certificates
    }

    /// Every event after `sequenceNumber`, in order.
    public func forEachEvent(
        after sequenceNumber: Int64 = 0,
        _ body: (RegistryEvent) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        try read { database in
            let rows = try Row.fetchCursor(
                database, sql: "SELECT * FROM event WHERE seq > ? ORDER BY seq",
                arguments: [sequenceNumber])
            while let row = try rows.next() { try body(RegistryEvent(row: row)) }
        }
    }

    /// Everything that happened to a key and its credentials, in order; empty for an unknown key.
    public func history(of thumbprint: [UInt8]) throws(ProvisioningError) -> [RegistryEvent] {
        try read { database in
            guard let key = try database.key(thumbprint) else { return [] }
            return try Row.fetchAll(
                database,
                sql: """
                    WITH subjects (id) AS (
                        VALUES (?) UNION SELECT id FROM credential WHERE key = ?)
                    SELECT event.* FROM event JOIN subjects ON seq = id
                    UNION
                    SELECT event.* FROM event JOIN subjects ON subject = id AND subject <> seq
                    ORDER BY seq
                    """, arguments: [key.row, key.row]
            ).map(RegistryEvent.init(row:))
        }
    }

    func eachDevice(
        matching filter: DeviceFilter, after cursor: RegistryCursor?, limit: Int?,
        _ body: (DeviceRecord) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        let condition = filter.condition(after: cursor)
        try read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT * FROM device \(condition.sql) ORDER BY id LIMIT \(limit ?? -1)",
                arguments: condition.arguments)
            while let row = try rows.next() {
                try body(DeviceRecord(row: row, database: database))
            }
        }
    }

    func eachKey(
        matching filter: KeyFilter, after cursor: RegistryCursor?, limit: Int?,
        _ body: (KeyRecord) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        let condition = filter.condition(after: cursor)
        try read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: KeyRecord.query + "\(condition.sql) ORDER BY key.id LIMIT \(limit ?? -1)",
                arguments: condition.arguments)
            while let row = try rows.next() { try body(KeyRecord(row: row)) }
        }
    }
}
