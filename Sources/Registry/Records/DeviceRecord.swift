public import Attestation
public import COSE
import GRDB

/// What the registry knows of one device.
public struct DeviceRecord: Sendable, Hashable {
    public let identity: DeviceIdentity
    /// The user's name for the device, unique in the registry.
    public let nickname: String?
    public let firstSeen: NumericDate
    /// All its keys, oldest first, the revoked ones too.
    public let keys: [KeyRecord]

    /// The event that added this device.
    let row: Int64
}

extension DeviceRecord {
    /// What `init` reads; WHERE, ORDER and LIMIT follow.
    static let query = "SELECT board, device_id, nickname, first_seen, id FROM device "

    /// Devices in the order of their rows, each with its keys: one query for all of them, for a query
    /// each takes longer than to read them.
    static func fetchAll(
        _ statement: Statement, _ arguments: StatementArguments, in database: Database
    ) throws -> [DeviceRecord] {
        let heads = try DeviceHead.fetchAll(statement, arguments)
        guard let first = heads.first, let last = heads.last else { return [] }
        var keys = try Groups(
            KeyRecord.fetchCursor(
                database.cachedStatement(
                    sql: KeyRecord.query + """
                        WHERE key.device BETWEEN ? AND ? ORDER BY key.device, key.id
                        """), [first.row, last.row]), of: \.deviceRow)
        return try heads.map { head in
            DeviceRecord(
                identity: head.identity, nickname: head.nickname, firstSeen: head.firstSeen,
                keys: try keys.group(head.row), row: head.row)
        }
    }
}

/// A row of `device`.
private struct DeviceHead: RowRecord {
    let identity: DeviceIdentity
    let nickname: String?
    let firstSeen: NumericDate
    let row: Int64

    init(_ row: inout RowReader) throws {
        identity = try DeviceIdentity(&row)
        nickname = try row.optionalText()
        firstSeen = try row.date()
        self.row = try row.integer()
    }
}
