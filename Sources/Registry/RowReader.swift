import COSE
import GRDB
import Provisioning

/// Reads the columns of a row in the order in which the query names them: to look them up by their
/// names took longer than all that SQLite does.
///
/// Columns are strict: a damaged or hostile file gives an error, where GRDB's subscripts would trap.
struct RowReader {
    private let row: Row
    private var index = -1

    init(_ row: Row) { self.row = row }

    private mutating func next() throws -> DatabaseValue {
        index += 1
        guard index < row.count else {
            throw ProvisioningError(.registryDamaged, "a row has only \(row.count) columns")
        }
        return row[index]
    }

    private func wrong(_ stored: DatabaseValue) -> ProvisioningError {
        let column = Array(row.columnNames)[index]
        let fault = stored.isNull ? "has no value" : "holds \(stored)"
        return ProvisioningError(.registryDamaged, "column \(column) \(fault)")
    }

    mutating func integer() throws -> Int64 {
        let stored = try next()
        guard case .int64(let integer) = stored.storage else { throw wrong(stored) }
        return integer
    }

    mutating func optionalInteger() throws -> Int64? {
        let stored = try next()
        switch stored.storage {
        case .null: return nil
        case .int64(let integer): return integer
        default: throw wrong(stored)
        }
    }

    mutating func text() throws -> String {
        let stored = try next()
        guard case .string(let text) = stored.storage else { throw wrong(stored) }
        return text
    }

    mutating func optionalText() throws -> String? {
        let stored = try next()
        switch stored.storage {
        case .null: return nil
        case .string(let text): return text
        default: throw wrong(stored)
        }
    }

    mutating func octets() throws -> [UInt8] {
        let stored = try next()
        guard case .blob(let data) = stored.storage else { throw wrong(stored) }
        return Array(data)
    }

    mutating func optionalOctets() throws -> [UInt8]? {
        let stored = try next()
        switch stored.storage {
        case .null: return nil
        case .blob(let data): return Array(data)
        default: throw wrong(stored)
        }
    }

    mutating func date() throws -> NumericDate { NumericDate(seconds: try integer()) }

    mutating func optionalDate() throws -> NumericDate? {
        try optionalInteger().map(NumericDate.init(seconds:))
    }

    /// One of the values of an enumeration that is stored as text.
    mutating func choice<Choice: RawRepresentable<String>>() throws -> Choice {
        let stored = try next()
        guard case .string(let text) = stored.storage, let choice = Choice(rawValue: text) else {
            throw wrong(stored)
        }
        return choice
    }
}

/// What is made of one row of its own query.
protocol RowRecord {
    init(_ row: inout RowReader) throws
}

extension RowRecord {
    static func fetchAll(
        _ statement: Statement, _ arguments: StatementArguments = []
    ) throws -> [Self] {
        try Array(cursor(statement, arguments))
    }

    static func fetchOne(
        _ statement: Statement, _ arguments: StatementArguments = []
    ) throws -> Self? {
        try cursor(statement, arguments).next()
    }

    /// Rows are read where they are, without a copy, before the statement goes on.
    private static func cursor(
        _ statement: Statement, _ arguments: StatementArguments
    ) throws -> MapCursor<RowCursor, Self> {
        try Row.fetchCursor(statement, arguments: arguments).map { row in
            var reader = RowReader(row)
            return try Self(&reader)
        }
    }
}
