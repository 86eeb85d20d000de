import COSE
import Foundation
import GRDB
import GRDBSQLite
import Provisioning

/// Reads the columns of a statement's current row in the order in which the query names them, from
/// SQLite itself: GRDB's values of columns take several times as long as all that SQLite does.
///
/// Columns are strict: a damaged or hostile file gives an error, where GRDB's subscripts would trap.
struct RowReader {
    private let statement: Statement
    private let row: OpaquePointer
    private var index: CInt = -1

    /// - Parameter statement: has a row; the reader ends with it.
    init(_ statement: Statement) {
        self.statement = statement
        row = statement.sqliteStatement
    }

    /// The type of the next column.
    private mutating func next() throws -> CInt {
        index += 1
        guard index < sqlite3_column_count(row) else {
            throw ProvisioningError(.registryDamaged, "a row has only \(index) columns")
        }
        return sqlite3_column_type(row, index)
    }

    private func wrong() -> ProvisioningError {
        let column = statement.columnNames[Int(index)]
        let stored = DatabaseValue(sqliteStatement: row, index: index)
        let fault = stored.isNull ? "has no value" : "holds \(stored)"
        return ProvisioningError(.registryDamaged, "column \(column) \(fault)")
    }

    mutating func integer() throws -> Int64 {
        guard let integer = try optionalInteger() else { throw wrong() }
        return integer
    }

    mutating func optionalInteger() throws -> Int64? {
        switch try next() {
        case SQLITE_NULL: return nil
        case SQLITE_INTEGER: return sqlite3_column_int64(row, index)
        default: throw wrong()
        }
    }

    mutating func text() throws -> String {
        guard let text = try optionalText() else { throw wrong() }
        return text
    }

    mutating func optionalText() throws -> String? {
        switch try next() {
        case SQLITE_NULL: return nil
        case SQLITE_TEXT:
            // In this order: the first makes UTF-8, the second counts it.
            let text = sqlite3_column_text(row, index)
            let length = Int(sqlite3_column_bytes(row, index))
            return String(decoding: UnsafeBufferPointer(start: text, count: length), as: UTF8.self)
        default: throw wrong()
        }
    }

    mutating func octets() throws -> [UInt8] {
        guard let octets = try optionalOctets() else { throw wrong() }
        return octets
    }

    mutating func optionalOctets() throws -> [UInt8]? {
        switch try next() {
        case SQLITE_NULL: return nil
        case SQLITE_BLOB:
            // Nil for a blob without octets.
            let octets = sqlite3_column_blob(row, index)
            let length = Int(sqlite3_column_bytes(row, index))
            return Array(UnsafeRawBufferPointer(start: octets, count: length))
        default: throw wrong()
        }
    }

    mutating func date() throws -> NumericDate { NumericDate(seconds: try integer()) }

    mutating func optionalDate() throws -> NumericDate? {
        try optionalInteger().map(NumericDate.init(seconds:))
    }

    /// One of the values of an enumeration that is stored as text.
    mutating func choice<Choice: RawRepresentable<String>>() throws -> Choice {
        guard let choice = Choice(rawValue: try text()) else { throw wrong() }
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
        try Array(fetchCursor(statement, arguments))
    }

    static func fetchOne(
        _ statement: Statement, _ arguments: StatementArguments = []
    ) throws -> Self? {
        try fetchCursor(statement, arguments).next()
    }

    /// Rows are read where they are, without a copy, before the statement goes on.
    static func fetchCursor(
        _ statement: Statement, _ arguments: StatementArguments
    ) throws -> MapCursor<RowCursor, Self> {
        try statement.rows(arguments) { try Self(&$0) }
    }
}

extension Statement {
    /// What `read` makes of each row.
    func rows<Value>(
        _ arguments: StatementArguments = [],
        _ read: @escaping (inout RowReader) throws -> Value
    ) throws -> MapCursor<RowCursor, Value> {
        try Row.fetchCursor(self, arguments: arguments).map { _ in
            var reader = RowReader(self)
            return try read(&reader)
        }
    }
}
