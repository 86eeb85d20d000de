public import Attestation
public import COSE
import GRDB
public import Provisioning

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

/// Which devices to list; every field that is set must hold.
public struct DeviceFilter: Sendable, Hashable {
    /// The board's own name.
    public var board: String?
    public var id: DeviceID?
    public var nickname: String?

    public init(board: String? = nil, id: DeviceID? = nil, nickname: String? = nil) {
        self.board = board
        self.id = id
        self.nickname = nickname
    }

    public static let all = DeviceFilter()
}

/// Which keys to list; every field that is set must hold.
public struct KeyFilter: Sendable, Hashable {
    public var device: DeviceIdentity?
    public var state: KeyState?

    public init(device: DeviceIdentity? = nil, state: KeyState? = nil) {
        self.device = device
        self.state = state
    }

    public static let all = KeyFilter()
}

/// Some of what a filter matches, in the order in which it was registered.
public struct RegistryPage<Record: Sendable>: Sendable {
    public let records: [Record]
    /// Where the next page begins; nil after the last one.
    public let next: RegistryCursor?
}

/// A place in a listing. It stays valid: nothing is deleted or moved.
public struct RegistryCursor: Sendable, Hashable {
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

/// What a query gives, in groups of one owner each, in the order of their owners.
struct Groups<Record: RowRecord> {
    private let cursor: MapCursor<RowCursor, Record>
    private let owner: (Record) -> Int64
    private var next: Record?

    /// - Parameter owner: grows from record to record, or stays.
    init(
        _ cursor: MapCursor<RowCursor, Record>, of owner: @escaping (Record) -> Int64
    ) throws {
        self.cursor = cursor
        self.owner = owner
        next = try cursor.next()
    }

    /// The records of `row`; those of the rows before it are gone.
    mutating func group(_ row: Int64) throws -> [Record] {
        var group: [Record] = []
        while let record = next, owner(record) <= row {
            if owner(record) == row { group.append(record) }
            next = try cursor.next()
        }
        return group
    }
}

/// The WHERE clause of a filter, and what its question marks stand for.
struct Condition {
    private(set) var sql = "WHERE 1"
    private(set) var arguments: StatementArguments = []

    mutating func require(_ term: String, _ value: (any DatabaseValueConvertible)?) {
        guard let value else { return }
        sql += " AND " + term
        arguments += [value]
    }
}

extension DeviceFilter {
    func condition(after cursor: RegistryCursor?) -> Condition {
        var condition = Condition()
        condition.require("device.board = ?", board)
        condition.require("device.device_id = ?", id.map { Octets($0.bytes) })
        condition.require("device.nickname = ?", nickname)
        condition.require("device.id > ?", cursor?.row)
        return condition
    }
}

extension KeyFilter {
    func condition(after cursor: RegistryCursor?) -> Condition {
        var condition = Condition()
        condition.require("device.board = ?", device?.board)
        condition.require("device.device_id = ?", device.map { Octets($0.id.bytes) })
        condition.require("key.state = ?", state?.rawValue)
        condition.require("key.id > ?", cursor?.row)
        return condition
    }
}
