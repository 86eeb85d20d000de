import GRDB

extension RegistryChange {
    /// Writes to the tables what this change, as told by `event`, says. Deterministic: the same
    /// events give the same tables.
    func apply(_ event: RegistryEvent, to database: Database) throws {
        switch self {
        case .deviceAdded(let body): try body.apply(event, to: database)
        case .deviceNamed(let body): try body.apply(event, to: database)
        case .keyRegistered(let body): try body.apply(event, to: database)
        case .keyActivated(let body): try body.apply(event, to: database)
        case .keyRevoked(let body): try body.apply(event, to: "key", of: database)
        case .keyReinstated(let body): try body.apply(event, to: database)
        case .credentialIssued(let body): try body.apply(event, to: database)
        case .credentialRevoked(let body): try body.apply(event, to: "credential", of: database)
        case .listNumbered(let body): try body.apply(event, to: database)
        }
    }
}

/// The event names a row that is not there, or more than one.
struct ProjectionError: Error, CustomStringConvertible {
    let description: String
}

extension Database {
    /// Runs one statement that must change exactly one row.
    fileprivate func project(_ sql: String, _ values: [SQLiteValue]) throws {
        try cachedStatement(sql: sql).run(values)
        guard changesCount == 1 else {
            throw ProjectionError(description: "changed \(changesCount) rows, not 1")
        }
    }
}

extension RegistryChange.DeviceAdded {
    fileprivate func apply(_ event: RegistryEvent, to database: Database) throws {
        try database.project(
            """
            INSERT INTO device (id, board, device_id, first_seen, event) VALUES (?, ?, ?, ?, ?)
            """,
            [
                .integer(event.subject), .text(board), .octets(deviceID.bytes),
                .integer(event.date.seconds), .integer(event.sequenceNumber),
            ])
    }
}

extension RegistryChange.DeviceNamed {
    fileprivate func apply(_ event: RegistryEvent, to database: Database) throws {
        try database.project(
            "UPDATE device SET nickname = ?, event = ? WHERE id = ?",
            [.text(nickname), .integer(event.sequenceNumber), .integer(event.subject)])
    }
}

extension RegistryChange.KeyRegistered {
    fileprivate func apply(_ event: RegistryEvent, to database: Database) throws {
        try database.project(
            """
            INSERT INTO key (
                id, device, key_id, thumbprint, algorithm, public_key, state, registered_at, basis,
                imported, firmware_digest, evidence, event, possession_proven)
            VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(event.subject), .integer(device), .integer(Int64(keyID)),
                .octets(thumbprint.bytes), .integer(algorithm), .octets(publicKey.bytes),
                .integer(event.date.seconds), .text(basis), .integer(isImported ? 1 : 0),
                .octets(firmwareDigest?.bytes), .octets(evidence.bytes),
                .integer(event.sequenceNumber), .integer(isPossessionProven == false ? 0 : 1),
            ])
    }
}

extension RegistryChange.KeyActivated {
    fileprivate func apply(_ event: RegistryEvent, to database: Database) throws {
        try database.project(
            """
            UPDATE key SET state = 'active', activated_at = ?, confirmation = ?, event = ?
            WHERE id = ?
            """,
            [
                .integer(event.date.seconds), .octets(confirmation.bytes),
                .integer(event.sequenceNumber), .integer(event.subject),
            ])
    }
}

extension RegistryChange.Revoked {
    fileprivate func apply(
        _ event: RegistryEvent, to table: String, of database: Database
    ) throws {
        try database.project(
            """
            UPDATE \(table) SET state = 'revoked', revoked_at = ?, revocation_reason = ?, event = ?
            WHERE id = ?
            """,
            [
                .integer(event.date.seconds), .integer(Int64(reason)),
                .integer(event.sequenceNumber), .integer(event.subject),
            ])
    }
}

extension RegistryChange.KeyReinstated {
    fileprivate func apply(_ event: RegistryEvent, to database: Database) throws {
        try database.project(
            """
            UPDATE key SET state = 'pending', activated_at = NULL, confirmation = NULL,
                revoked_at = NULL, revocation_reason = NULL, event = ?
            WHERE id = ?
            """,
            [.integer(event.sequenceNumber), .integer(event.subject)])
    }
}

extension RegistryChange.CredentialIssued {
    fileprivate func apply(_ event: RegistryEvent, to database: Database) throws {
        try database.project(
            """
            INSERT INTO credential (
                id, key, type, issuer, serial, document, not_before, not_after, state, issued_at,
                event)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'in-force', ?, ?)
            """,
            [
                .integer(event.subject), .integer(key), .integer(Int64(clamping: type)),
                .octets(issuer.bytes), .octets(serialNumber?.bytes), .octets(document.bytes),
                .integer(notBefore), notAfter.map(SQLiteValue.integer) ?? .null,
                .integer(event.date.seconds), .integer(event.sequenceNumber),
            ])
    }
}

extension RegistryChange.ListNumbered {
    fileprivate func apply(_ event: RegistryEvent, to database: Database) throws {
        try database.project(
            "INSERT INTO revocation_list (id, issuer, number, numbered_at) VALUES (?, ?, ?, ?)",
            [
                .integer(event.subject), .octets(issuer.bytes), .integer(number),
                .integer(event.date.seconds),
            ])
    }
}
