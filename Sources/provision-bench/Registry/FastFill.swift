import CBOR
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
    private let intoEvent: Statement
    private let intoDocument: Statement
    private let intoDevice: Statement
    private let intoKey: Statement
    private let intoCredential: Statement
    private var sequenceNumber: Int64 = 0
    private var head = [UInt8](repeating: 0, count: SHA256.length)
    private let at = SampleDevice.date.seconds

    /// Events of one device.
    static let eventCount: Int64 = 5

    /// - Parameter path: of a registry without events, which nobody has open.
    static func fill(_ path: String, with devices: some Sequence<SampleDevice>) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            // The indexes of random keys must be in memory: 800 MB, given back by close.
            try database.execute(
                sql: """
                    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                    PRAGMA cache_size = -800000; PRAGMA ignore_check_constraints = true
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
            var fill = try FastFill(database: database)
            // One transaction: each commit would write all pages of indexes of random keys anew.
            try database.execute(sql: "BEGIN")
            for device in devices { try fill.add(device) }
            try database.execute(sql: "COMMIT")
            for row in removed { try database.execute(sql: row["sql"]) }
            try database.execute(sql: "PRAGMA journal_mode = WAL")
        }
        try queue.close()
    }

    private init(database: Database) throws {
        func insertion(into table: String) throws -> Statement {
            let marks = try database.columns(in: table).map { _ in "?" }.joined(separator: ",")
            return try database.makeStatement(sql: "INSERT INTO \(table) VALUES (\(marks))")
        }
        intoEvent = try insertion(into: "event")
        intoDocument = try insertion(into: "document")
        intoDevice = try insertion(into: "device")
        intoKey = try insertion(into: "key")
        intoCredential = try insertion(into: "credential")
    }

    private mutating func add(_ device: SampleDevice) throws {
        let claim = device.claim
        let id = claim.identity.id.bytes
        let row = try append(
            "device-added",
            #"{"board":"\#(claim.identity.board)","deviceID":"\#(id.hexadecimal)"}"#)
        try intoDevice.run(
            [
                .integer(row), .text(claim.identity.board), .octets(id), .null, .integer(at),
                .integer(row),
            ])
        let confirmation = device.confirmation
        let key = try addKey(claim, device: row, confirmation: confirmation)
        for credential in device.credentials { try add(credential, of: key) }
        try append(
            "key-activated",
            #"{"confirmation":"\#(try keep(confirmation).hexadecimal)"}"#, to: key)
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
                + #","evidence":"\#(evidence.hexadecimal)""#
                + #","firmwareDigest":"\#(firmware.hexadecimal)","grounds":[\#(grounds)]"#
                + #","isImported":false,"keyID":\#(claim.keyID)"#
                + #","publicKey":"\#(claim.publicKey.hexadecimal)""#
                + #","thumbprint":"\#(claim.thumbprint.hexadecimal)"}"#)
        try intoKey.run(
            [
                .integer(row), .integer(device), .integer(Int64(claim.keyID)),
                .octets(claim.thumbprint), .integer(claim.algorithm), .octets(claim.publicKey),
                .text("active"), .integer(at), .integer(at), .null, .null,
                .text(claim.basis.rawValue), .integer(0), .octets(firmware), .octets(evidence),
                .octets(SHA256.hash(confirmation)), .integer(row + Self.eventCount - 2),
                .integer(1),
            ])
        return row
    }

    private mutating func add(_ credential: Credential, of key: Int64) throws {
        let document = try keep(credential.bytes)
        let row = try append(
            "credential-issued",
            #"{"document":"\#(document.hexadecimal)""#
                + #","issuer":"\#(credential.issuer.hexadecimal)","key":\#(key)"#
                + #","notBefore":\#(credential.notBefore.seconds)"#
                + #","serialNumber":"\#(credential.serialNumber.hexadecimal)""#
                + #","type":\#(credential.type.rawValue)}"#)
        try intoCredential.run(
            [
                .integer(row), .integer(key), .integer(Int64(credential.type.rawValue)),
                .octets(credential.issuer), .octets(credential.serialNumber), .octets(document),
                .integer(credential.notBefore.seconds), .null, .text("in-force"), .integer(at),
                .null, .null, .integer(row),
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
        try intoEvent.run(
            [
                .integer(sequenceNumber), .integer(at), .text(kind), .integer(subject),
                .text(body), .octets(head), .octets(hash),
            ])
        head = hash
        return sequenceNumber
    }

    private func keep(_ bytes: [UInt8]) throws -> [UInt8] {
        let digest = SHA256.hash(bytes)
        try intoDocument.run([.octets(digest), .octets(bytes)])
        return digest
    }
}
