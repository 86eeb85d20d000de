import GRDB

/// Pages of at most `count` records, in the order of registration.
extension Database {
    func devices(
        matching filter: DeviceFilter, after cursor: RegistryCursor?, count: Int
    ) throws -> [DeviceRecord] {
        let condition = filter.condition(after: cursor)
        return try Row.fetchAll(
            cachedStatement(
                sql: "SELECT * FROM device \(condition.sql) ORDER BY id LIMIT \(count)"),
            arguments: condition.arguments
        ).map { try DeviceRecord(row: $0, database: self) }
    }

    func keys(
        matching filter: KeyFilter, after cursor: RegistryCursor?, count: Int
    ) throws -> [KeyRecord] {
        let condition = filter.condition(after: cursor)
        return try Row.fetchAll(
            cachedStatement(
                sql: KeyRecord.query + "\(condition.sql) ORDER BY key.id LIMIT \(count)"),
            arguments: condition.arguments
        ).map(KeyRecord.init(row:))
    }

    func keyCount(matching filter: KeyFilter) throws -> Int {
        let condition = filter.condition(after: nil)
        return try Int.fetchOne(
            self,
            sql: """
                SELECT count(*) FROM key JOIN device ON device.id = key.device \(condition.sql)
                """, arguments: condition.arguments) ?? 0
    }

    func revokedCertificates(
        of issuer: [UInt8], before event: Int64, after cursor: RegistryCursor?, count: Int
    ) throws -> [RevokedCertificate] {
        try Row.fetchAll(
            cachedStatement(
                sql: """
                    SELECT id, issuer, serial, revoked_at, revocation_reason, not_after
                    FROM credential
                    WHERE issuer = ? AND type = 1 AND state = 'revoked' AND event < ? AND id > ?
                    ORDER BY id LIMIT \(count)
                    """), arguments: [Octets(issuer), event, cursor?.row ?? 0]
        ).map(RevokedCertificate.init(row:))
    }

    func events(after sequenceNumber: Int64, count: Int) throws -> [RegistryEvent] {
        try Row.fetchAll(
            cachedStatement(sql: "SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT \(count)"),
            arguments: [sequenceNumber]
        ).map(RegistryEvent.init(row:))
    }
}
