public import Attestation
public import COSE
import Foundation
import GRDB
public import Issuance
public import Provisioning

extension SQLiteRegistry {
    /// Fewest hexadecimal digits by which a key can be named.
    public static let minimumPrefixLength = 8

    /// Most records in one page.
    public static let maximumPageLength = 10_000

    /// A page of the devices that match, at most `limit`.
    public func devices(
        matching filter: DeviceFilter = .all, after cursor: RegistryCursor? = nil,
        limit: Int = 100
    ) throws(ProvisioningError) -> RegistryPage<DeviceRecord> {
        try page(limit) { try $0.devices(matching: filter, after: cursor, count: $1) }
    }

    /// A page of the keys that match, at most `limit`.
    public func keys(
        matching filter: KeyFilter = .all, after cursor: RegistryCursor? = nil, limit: Int = 100
    ) throws(ProvisioningError) -> RegistryPage<KeyRecord> {
        try page(limit) { try $0.keys(matching: filter, after: cursor, count: $1) }
    }

    /// One page of what `fetch` finds, with one record more to tell whether another page follows.
    private func page<Record: RegistryRow>(
        _ limit: Int, _ fetch: (Database, Int) throws -> [Record]
    ) throws(ProvisioningError) -> RegistryPage<Record> {
        let limit = min(max(limit, 1), Self.maximumPageLength)
        let found = try read { try fetch($0, limit + 1) }
        let records = Array(found.prefix(limit))
        let next = found.count > limit ? records.last.map { RegistryCursor(row: $0.row) } : nil
        return RegistryPage(records: records, next: next)
    }

    /// The device, or nil if it is not registered.
    public func device(_ identity: DeviceIdentity) throws(ProvisioningError) -> DeviceRecord? {
        try read { try $0.device(identity) }
    }

    /// The device that the user means: `board/ID`, the ID alone, in hexadecimal, or else a nickname.
    ///
    /// - Throws: `.notFound`; `.usage` if boards of two types have this ID, naming them.
    public func device(named name: String) throws(ProvisioningError) -> DeviceRecord {
        let slash = name.lastIndex(of: "/")
        let id = DeviceID(hexadecimal: slash.map { String(name[name.index(after: $0)...]) } ?? name)
        let board = slash.map { String(name[..<$0]) }
        // What one device is called must never hide another one.
        var found: [DeviceRecord] = []
        if let id { found = try devices(matching: DeviceFilter(board: board, id: id)).records }
        // As it is typed, as it is kept, and as an earlier version may have kept it.
        for form in [
            name, name.precomposedStringWithCanonicalMapping,
            name.decomposedStringWithCanonicalMapping,
        ] where found.isEmpty {
            found = try devices(matching: DeviceFilter(nickname: form)).records
        }
        guard let first = found.first else {
            throw ProvisioningError(
                .notFound, "no device has the nickname or ID \(name)",
                hint: "list them: provision devices")
        }
        guard found.count == 1 else {
            let names = found.map(\.identity.description).joined(separator: ", ")
            throw ProvisioningError(
                .usage, "\(name) is the ID of \(names)", hint: "say board/ID")
        }
        return first
    }

    /// The key, or nil if it is not registered.
    public func key(_ thumbprint: [UInt8]) throws(ProvisioningError) -> KeyRecord? {
        try read { try $0.key(thumbprint) }
    }

    /// The key whose thumbprint begins with these hexadecimal digits, at least 8.
    ///
    /// - Throws: `.notFound`; `.usage` if there are fewer digits, or several keys match, naming
    ///   them.
    public func key(
        thumbprintPrefix prefix: String
    ) throws(ProvisioningError) -> KeyRecord {
        let missing = 64 - prefix.utf8.count
        guard prefix.utf8.count >= Self.minimumPrefixLength, missing >= 0,
            let lowest = Octets(hexadecimal: prefix + String(repeating: "0", count: missing)),
            let highest = Octets(hexadecimal: prefix + String(repeating: "f", count: missing))
        else {
            throw ProvisioningError(
                .usage,
                "a key is named by \(Self.minimumPrefixLength) to 64 hexadecimal digits of its "
                    + "thumbprint, not by \(prefix)")
        }
        let found = try read { database in
            try KeyRecord.fetchAll(
                database.cachedStatement(
                    sql: KeyRecord.query + """
                        WHERE key.thumbprint BETWEEN ? AND ? ORDER BY key.thumbprint LIMIT 5
                        """), [lowest, highest])
        }
        guard let first = found.first else {
            throw ProvisioningError(
                .notFound, "no key has a thumbprint that begins with \(prefix)")
        }
        guard found.count == 1 else {
            let names = found.map { "\($0.name) (\($0.identity))" }.joined(separator: ", ")
            throw ProvisioningError(
                .usage, "\(prefix) begins the thumbprints of \(names)", hint: "give more digits")
        }
        return first
    }

    /// The credentials with this serial number: of one issuer, or of all.
    public func credentials(
        serialNumber: [UInt8], issuer: [UInt8]? = nil
    ) throws(ProvisioningError) -> [CredentialRecord] {
        try read { try $0.credentialRecords(serialNumber: serialNumber) }
            .filter { issuer == nil || $0.issuer == issuer }
    }

    /// All the credentials that were issued for a key, oldest first, the revoked ones too.
    public func credentials(
        of thumbprint: [UInt8]
    ) throws(ProvisioningError) -> [CredentialRecord] {
        try read { database in
            guard let key = try database.key(thumbprint) else { return [] }
            return try database.credentialRecords(of: key.row)
        }
    }

    /// The credentials in force for a key, with their bytes, as they were delivered.
    public func credentialsInForce(
        for thumbprint: [UInt8]
    ) throws(ProvisioningError) -> [Credential] {
        try read { database in
            guard let key = try database.key(thumbprint) else { return [] }
            return try database.credentialsInForce(of: key.row)
        }
    }

    /// When the registry last changed; nil if it never did. A clock that is behind it is wrong, or was.
    public func lastChange() throws(ProvisioningError) -> NumericDate? {
        try read { try EventLog.lastChange(in: $0) }
    }

    /// Where the log ends: another head is another registry's state, and the same head the same.
    public func head() throws(ProvisioningError) -> LogHead {
        try read { try EventLog.head(of: $0) }
    }

    /// The bytes with this SHA-256: evidence, a confirmation or a credential; nil if unknown.
    public func document(_ digest: [UInt8]) throws(ProvisioningError) -> [UInt8]? {
        try read { try $0.document(digest) }
    }

    /// Everything that happened to a key and its credentials, in order; empty for an unknown key.
    public func history(of thumbprint: [UInt8]) throws(ProvisioningError) -> [RegistryEvent] {
        try read { database in
            guard let key = try database.key(thumbprint) else { return [] }
            let columns = RegistryEvent.columns
            return try RegistryEvent.fetchAll(
                database.cachedStatement(
                    sql: """
                        WITH subjects (id) AS (
                            VALUES (?) UNION SELECT id FROM credential WHERE key = ?)
                        SELECT \(columns) FROM event JOIN subjects ON seq = id
                        UNION
                        SELECT \(columns) FROM event
                        JOIN subjects ON subject = id AND subject <> seq
                        ORDER BY seq
                        """), [key.row, key.row])
        }
    }
}
