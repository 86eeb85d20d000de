import GRDB

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
