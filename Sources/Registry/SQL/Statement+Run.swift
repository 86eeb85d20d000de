import GRDB
import GRDBSQLite

/// What a question mark of a statement stands for.
package enum SQLiteValue {
    case null
    case integer(Int64)
    case text(String)
    case octets([UInt8])

    package static func text(_ text: String?) -> SQLiteValue {
        text.map { .text($0 as String) } ?? .null
    }

    package static func octets(_ octets: [UInt8]?) -> SQLiteValue {
        octets.map { .octets($0 as [UInt8]) } ?? .null
    }
}

extension Statement {
    /// Runs a statement that gives no rows. Values go to SQLite as they are: GRDB's arguments take as
    /// long as the change itself.
    package func run(_ values: [SQLiteValue]) throws {
        defer {
            sqlite3_reset(sqliteStatement)
            sqlite3_clear_bindings(sqliteStatement)
        }
        for (index, value) in values.enumerated() {
            try check(bind(value, at: CInt(index + 1)), SQLITE_OK)
        }
        try check(sqlite3_step(sqliteStatement), SQLITE_DONE)
    }

    private func bind(_ value: SQLiteValue, at index: CInt) -> CInt {
        // SQLite copies: the array may move.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return sqlite3_bind_null(sqliteStatement, index)
        case .integer(let integer): return sqlite3_bind_int64(sqliteStatement, index, integer)
        case .text(let text):
            return sqlite3_bind_text(
                sqliteStatement, index, text, CInt(text.utf8.count), transient)
        case .octets(let octets):
            guard !octets.isEmpty else { return sqlite3_bind_zeroblob(sqliteStatement, index, 0) }
            return sqlite3_bind_blob(
                sqliteStatement, index, octets, CInt(octets.count), transient)
        }
    }

    private func check(_ code: CInt, _ expected: CInt) throws {
        guard code != expected else { return }
        let connection = sqlite3_db_handle(sqliteStatement)
        throw DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: String(cString: sqlite3_errmsg(connection)), sql: sql)
    }
}
