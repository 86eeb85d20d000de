import GRDB

/// Pages of at most `count` records, in the order of registration.
extension Database {
    func devices(
        matching filter: DeviceFilter, after cursor: RegistryCursor?, count: Int
    ) throws -> [DeviceRecord] {
        let condition = filter.condition(after: cursor)
        return try DeviceRecord.fetchAll(
            cachedStatement(
                sql: DeviceRecord.query + "\(condition.sql) ORDER BY id LIMIT \(count)"),
            condition.arguments, in: self)
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

    /// A page of devices, each with the credentials of each of its keys, oldest first.
    func devicesWithCredentials(
        matching filter: DeviceFilter, after cursor: RegistryCursor?, count: Int
    ) throws -> [WithCredentials<DeviceRecord, [[CredentialRecord]]>] {
        let devices = try devices(matching: filter, after: cursor, count: count)
        guard let first = devices.first, let last = devices.last else { return [] }
        var credentials = try Groups(
            CredentialRecord.fetchCursor(
                cachedStatement(
                    sql: CredentialRecord.query + """
                        WHERE key.device BETWEEN ? AND ? ORDER BY key.device, credential.id
                        """), [first.row, last.row]), of: \.deviceRow)
        return try devices.map { device in
            let ofKeys = Dictionary(grouping: try credentials.group(device.row), by: \.keyRow)
            return WithCredentials(
                record: device, credentials: device.keys.map { ofKeys[$0.row] ?? [] })
        }
    }

    /// A page of keys, each with its credentials, oldest first.
    func keysWithCredentials(
        matching filter: KeyFilter, after cursor: RegistryCursor?, count: Int
    ) throws -> [WithCredentials<KeyRecord, [CredentialRecord]>] {
        let keys = try keys(matching: filter, after: cursor, count: count)
        guard let first = keys.first, let last = keys.last else { return [] }
        var credentials = try Groups(
            CredentialRecord.fetchCursor(
                cachedStatement(
                    sql: CredentialRecord.query + """
                        WHERE credential.key BETWEEN ? AND ?
                        ORDER BY credential.key, credential.id
                        """), [first.row, last.row]), of: \.keyRow)
        return try keys.map {
            WithCredentials(record: $0, credentials: try credentials.group($0.row))
        }
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

/// A record, and what was issued for it.
struct WithCredentials<Record: RegistryRow, Credentials: Sendable>: RegistryRow {
    let record: Record
    let credentials: Credentials

    var row: Int64 { record.row }
}
