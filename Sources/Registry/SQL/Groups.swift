import GRDB

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
