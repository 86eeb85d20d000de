import GRDB

/// Pages of at most `count` records, in the order of registration.
extension Database {
    func devices(
        matching filter: DeviceFilter, after cursor: RegistryCursor?, count: Int
    ) throws -> [DeviceRecord] {
        let condition = filter.condition(after: cursor)
        let rows = try Row.fetchCursor(
            cachedStatement(
                sql: DeviceRecord.query + "\(condition.sql) ORDER BY id LIMIT \(count)"),
            arguments: condition.arguments)
        return try Array(rows.map { try DeviceRecord(row: $0, database: self) })
    }

    func keys(
        matching filter: KeyFilter, after cursor: RegistryCursor?, count: Int
    ) throws -> [KeyRecord] {
        let condition = filter.condition(after: cursor)
        return try KeyRecord.fetchAll(
            cachedStatement(
                sql: KeyRecord.query + "\(condition.sql) ORDER BY key.id LIMIT \(count)"),
            condition.arguments)
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
        try RevokedCertificate.fetchAll(
            cachedStatement(
                sql: """
                    SELECT issuer, serial, revoked_at, revocation_reason, not_after, id
                    FROM credential
                    WHERE issuer = ? AND type = 1 AND state = 'revoked' AND event < ? AND id > ?
                    ORDER BY id LIMIT \(count)
                    """), [Octets(issuer), event, cursor?.row ?? 0])
    }

    func events(after sequenceNumber: Int64, count: Int) throws -> [RegistryEvent] {
        try RegistryEvent.fetchAll(
            cachedStatement(
                sql: """
                    SELECT \(RegistryEvent.columns) FROM event WHERE seq > ?
                    ORDER BY seq LIMIT \(count)
                    """), [sequenceNumber])
    }
}
