import Attestation
import COSE
import Foundation
import GRDB
import Issuance
import OpenSSL
import Provisioning
import Registry

/// Fills a new registry with what its own code would write, byte for byte, without asking the schema
/// at every row: its triggers and indexes are taken off, and put back as they were at the end.
///
/// Whoever uses this compares the log with that of a registry which wrote itself.
struct FastFill {
    private let database: Database
    private var sequenceNumber: Int64 = 0
    private var head = [UInt8](repeating: 0, count: SHA256.length)
    private let at = SampleDevice.date.seconds

    /// Events of one device.
    static let eventCount: Int64 = 5

    /// Devices in one transaction.
    private static let batchLength = 20_000

    /// - Parameter path: of a registry without events, which nobody has open.
    static func fill(_ path: String, with devices: some Sequence<SampleDevice>) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            // The indexes of random keys must be in memory: 600 MB, given back by close.
            try database.execute(
                sql: """
                    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                    PRAGMA cache_size = -600000
                    """)
            let removed = try Row.fetchAll(
                database,
                sql: """
                    SELECT type, name, sql FROM sqlite_schema
                    WHERE type IN ('index', 'trigger') AND sql IS NOT NULL
                    """)
            for row in removed {
                try database.execute(sql: "DROP \(row["type"] as String) \(row["name"] as String)")
            }
            var fill = FastFill(database: database)
            try database.execute(sql: "BEGIN")
            for (index, device) in devices.enumerated() {
                try fill.add(device)
                if index % batchLength == batchLength - 1 {
                    try database.execute(sql: "COMMIT; BEGIN")
                }
            }
            try database.execute(sql: "COMMIT")
            for row in removed { try database.execute(sql: row["sql"]) }
            try database.execute(sql: "PRAGMA journal_mode = WAL")
        }
        try queue.close()
    }

    private init(database: Database) { self.database = database }

    private mutating func add(_ device: SampleDevice) throws {
        let claim = device.claim
        let id = claim.identity.id.bytes
        let row = try append(
            "device-added",
            #"{"board":"\#(claim.identity.board)","deviceID":"\#(Self.hexadecimal(id))"}"#)
        try insert("device", [row, claim.identity.board, Data(id), nil, at, row])
        let key = try addKey(claim, device: row, confirmation: device.confirmation)
        for credential in device.credentials { try add(credential, of: key) }
        try append(
            "key-activated",
            #"{"confirmation":"\#(Self.hexadecimal(try keep(device.confirmation)))"}"#, to: key)
    }

    /// The row as it is after the key's last event, four events later than its first.
    private mutating func addKey(
        _ claim: RegistrationClaim, device: Int64, confirmation: [UInt8]
    ) throws -> Int64 {
        let evidence = try keep(claim.evidence)
        let firmware = claim.firmwareDigest ?? []
        let grounds = claim.grounds.map { "\"\($0.rawValue)\"" }.sorted().joined(separator: ",")
        let row = try append(
            "key-registered",
            #"{"algorithm":\#(claim.algorithm),"basis":"\#(claim.basis.rawValue)","device":\#(device)"#
                + #","evidence":"\#(Self.hexadecimal(evidence))""#
                + #","firmwareDigest":"\#(Self.hexadecimal(firmware))","grounds":[\#(grounds)]"#
                + #","isImported":false,"keyID":\#(claim.keyID)"#
                + #","publicKey":"\#(Self.hexadecimal(claim.publicKey))""#
                + #","thumbprint":"\#(Self.hexadecimal(claim.thumbprint))"}"#)
        try insert(
            "key",
            [
                row, device, Int64(claim.keyID), Data(claim.thumbprint), claim.algorithm,
                Data(claim.publicKey), "active", at, at, nil, nil, claim.basis.rawValue, 0,
                Data(firmware), Data(evidence), Data(SHA256.hash(confirmation)),
                row + Self.eventCount - 2,
            ])
        return row
    }

    private mutating func add(_ credential: Credential, of key: Int64) throws {
        let document = try keep(credential.bytes)
        let row = try append(
            "credential-issued",
            #"{"document":"\#(Self.hexadecimal(document))""#
                + #","issuer":"\#(Self.hexadecimal(credential.issuer))","key":\#(key)"#
                + #","notBefore":\#(credential.notBefore.seconds)"#
                + #","serialNumber":"\#(Self.hexadecimal(credential.serialNumber))""#
                + #","type":\#(credential.type.rawValue)}"#)
        try insert(
            "credential",
            [
                row, key, Int64(credential.type.rawValue), Data(credential.issuer),
                Data(credential.serialNumber), Data(document), credential.notBefore.seconds, nil,
                "in-force", at, nil, nil, row,
            ])
    }

    @discardableResult
    private mutating func append(
        _ kind: String, _ body: String, to subject: Int64? = nil
    ) throws -> Int64 {
        sequenceNumber += 1
        let subject = subject ?? sequenceNumber
        let hash = RegistryEvent.hash(
            previous: head, sequenceNumber: sequenceNumber, date: SampleDevice.date,
            subject: subject, kind: kind, body: body)
        try insert(
            "event", [sequenceNumber, at, kind, subject, body, Data(head), Data(hash)])
        head = hash
        return sequenceNumber
    }

    private func keep(_ bytes: [UInt8]) throws -> [UInt8] {
        let digest = SHA256.hash(bytes)
        try insert("document", [Data(digest), Data(bytes)])
        return digest
    }

    private func insert(_ table: String, _ values: [(any DatabaseValueConvertible)?]) throws {
        let marks = Array(repeating: "?", count: values.count).joined(separator: ",")
        try database.cachedStatement(sql: "INSERT INTO \(table) VALUES (\(marks))")
            .execute(arguments: StatementArguments(values))
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[index * 2] = digits[Int(byte >> 4)]
                buffer[index * 2 + 1] = digits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }
}
