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

    /// The event that recorded this certificate.
    let row: Int64

    init(row: Row) throws {
        guard let revocation = try Revocation.read(row) else {
            throw ProvisioningError(.registryDamaged, "a revoked certificate has no date")
        }
        issuer = try row.octets("issuer")
        serialNumber = try row.octets("serial")
        self.revocation = revocation
        notAfter = try row.optionalDate("not_after")
        self.row = try row.integer("id")
    }
}

/// Streams in constant memory, of what was registered before the call; others go on writing
/// meanwhile, and `body` may take its time and use the registry.
extension SQLiteRegistry {
    /// Records that are read at once.
    private static let streamPageLength = 256

    /// Every device that matches, with its keys, in the order of registration.
    public func forEachDeviceRecord(
        matching filter: DeviceFilter = .all,
        _ body: (DeviceRecord) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        try stream(body) { (cursor, limit) throws(ProvisioningError) in
            try devices(matching: filter, after: cursor, limit: limit)
        }
    }

    /// Every key that matches, in the order of registration.
    public func forEachKeyRecord(
        matching filter: KeyFilter = .all,
        _ body: (KeyRecord) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        try stream(body) { (cursor, limit) throws(ProvisioningError) in
            try keys(matching: filter, after: cursor, limit: limit)
        }
    }

    /// Every revoked certificate, also those whose key was revoked: of one issuer, or of all.
    public func forEachRevokedCertificate(
        of issuer: [UInt8]? = nil,
        _ body: (RevokedCertificate) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        try stream(body) { (cursor, limit) throws(ProvisioningError) in
            var condition = Condition()
            condition.require("issuer = ?", issuer.map(Octets.init))
            condition.require("id > ?", cursor?.row)
            let sql = """
                SELECT id, issuer, serial, revoked_at, revocation_reason, not_after FROM credential
                \(condition.sql) AND type = 1 AND state = 'revoked' ORDER BY id LIMIT \(limit + 1)
                """
            return try page(limit: limit) { database in
                try Row.fetchAll(database, sql: sql, arguments: condition.arguments)
                    .map(RevokedCertificate.init(row:))
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
        try stream(body) { (cursor, limit) throws(ProvisioningError) in
            try page(limit: limit) { database in
                try Row.fetchAll(
                    database,
                    sql: "SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT \(limit + 1)",
                    arguments: [cursor?.row ?? sequenceNumber]
                ).map(RegistryEvent.init(row:))
            }
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

    /// Page after page, up to what was registered when it began: else a busy registry has no end.
    private func stream<Record: RegistryRow>(
        _ body: (Record) throws(ProvisioningError) -> Void,
        _ page: (RegistryCursor?, Int) throws(ProvisioningError) -> RegistryPage<Record>
    ) throws(ProvisioningError) {
        let end = try read { try EventLog.head(of: $0).sequenceNumber }
        var cursor: RegistryCursor?
        repeat {
            let page = try page(cursor, Self.streamPageLength)
            for record in page.records {
                guard record.row <= end else { return }
                try body(record)
            }
            cursor = page.next
        } while cursor != nil
    }

    /// One page of what `fetch`, which reads up to `limit` + 1 records, finds.
    func page<Record: RegistryRow>(
        limit: Int, _ fetch: (Database) throws -> [Record]
    ) throws(ProvisioningError) -> RegistryPage<Record> {
        let found = try read(fetch)
        let records = Array(found.prefix(limit))
        let next = found.count > limit ? records.last.map { RegistryCursor(row: $0.row) } : nil
        return RegistryPage(records: records, next: next)
    }
}

/// A record that has its place in the order of the log.
protocol RegistryRow: Sendable {
    /// The event that began it.
    var row: Int64 { get }
}

extension DeviceRecord: RegistryRow {}
extension KeyRecord: RegistryRow {}
extension RevokedCertificate: RegistryRow {}
extension RegistryEvent: RegistryRow {
    var row: Int64 { sequenceNumber }
}
