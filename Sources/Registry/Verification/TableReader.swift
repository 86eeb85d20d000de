import CBOR
import Foundation
import GRDB
import GRDBSQLite

/// One of two tables that ought to be the same, row by row.
final class TableReader {
    private let statement: Statement
    private let rows: MapCursor<RowCursor, Int64>
    /// The first column of the current row; nil after the last row.
    private(set) var id: Int64?

    init(_ statement: Statement) throws {
        self.statement = statement
        rows = try statement.rows { try $0.integer() }
        id = try rows.next()
    }

    func next() throws { id = try rows.next() }

    /// Whether all values of the current rows are the same, compared where SQLite has them.
    func hasSameRow(as other: TableReader) -> Bool {
        let (left, right) = (statement.sqliteStatement, other.statement.sqliteStatement)
        let count = sqlite3_column_count(left)
        guard count == sqlite3_column_count(right) else { return false }
        return (0..<count).allSatisfy { column in
            let type = sqlite3_column_type(left, column)
            guard type == sqlite3_column_type(right, column) else { return false }
            switch type {
            case SQLITE_NULL: return true
            case SQLITE_INTEGER:
                return sqlite3_column_int64(left, column) == sqlite3_column_int64(right, column)
            default:
                // Of a text or a blob its octets, of a number its text; nil if there are none.
                let octets = sqlite3_column_blob(left, column)
                let others = sqlite3_column_blob(right, column)
                let length = sqlite3_column_bytes(left, column)
                guard length == sqlite3_column_bytes(right, column) else { return false }
                guard let octets, let others else { return length == 0 }
                return memcmp(octets, others, Int(length)) == 0
            }
        }
    }

    /// `state is "active", the log says "revoked"`, for each column that differs.
    func difference(from told: TableReader) -> String {
        let values = Dictionary(uniqueKeysWithValues: zip(statement.columnNames, values))
        return zip(told.statement.columnNames, told.values).compactMap { column, right in
            let left = values[column]
            guard left != right else { return nil }
            let shown = left.map(Self.shown) ?? "missing"
            return "\(column) is \(shown), the log says \(Self.shown(right))"
        }.joined(separator: "; ")
    }

    /// Octets in hexadecimal, which GRDB only counts.
    private static func shown(_ value: DatabaseValue) -> String {
        guard case .blob(let octets) = value.storage else { return value.description }
        return octets.isEmpty ? "empty" : [UInt8](octets).hexadecimal
    }

    private var values: [DatabaseValue] {
        (0..<sqlite3_column_count(statement.sqliteStatement)).map {
            DatabaseValue(sqliteStatement: statement.sqliteStatement, index: $0)
        }
    }
}
