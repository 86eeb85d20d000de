import GRDB
import Synchronization

/// Threads that write at the same time share one transaction, so that they wait for the disk once.
///
/// Each write stands in a savepoint of its own: one that throws takes nothing back but itself.
final class GroupCommit: Sendable {
    private let waiting = Mutex<[any PendingWrite]>([])

    /// Most writes in one transaction: it keeps other processes waiting.
    private static let maximumCount = 64

    /// Runs `body` in a transaction. When this returns, the transaction is durable.
    func write<Value>(
        to pool: DatabasePool, _ body: @escaping (Database) throws -> Value
    ) throws -> Value {
        let own = Write(body)
        waiting.withLock { $0.append(own) }
        // Whoever comes first writes for all who wait; the others find their write done.
        pool.writeWithoutTransaction { database in
            while !own.isDone {
                let group = waiting.withLock { waiting in
                    defer { waiting.removeFirst(min(waiting.count, Self.maximumCount)) }
                    return waiting.prefix(Self.maximumCount)
                }
                Self.commit(Array(group), to: database)
            }
        }
        return try own.result()
    }

    private static func commit(_ group: [any PendingWrite], to database: Database) {
        do {
            try database.inTransaction(.immediate) {
                for write in group {
                    try write.run(in: database)
                    // Some errors, such as a full disk, take the whole transaction back.
                    guard database.isInsideTransaction else { throw write.error ?? LostWrite() }
                }
                return .commit
            }
            for write in group { write.finish(nil) }
        } catch {
            for write in group { write.finish(error) }
        }
    }
}

/// SQLite took the transaction back without an error.
private struct LostWrite: Error {}

private protocol PendingWrite: AnyObject, Sendable {
    /// What the body threw.
    var error: (any Error)? { get }

    /// Runs the body in a savepoint. Throws only if the savepoint can't be made or ended.
    func run(in database: Database) throws

    /// The transaction has ended: durable, or with an error for all that was in it.
    func finish(_ error: (any Error)?)
}

// Only the thread that has the writer touches a write, while the thread that made it waits for the
// writer.
private final class Write<Value>: PendingWrite, @unchecked Sendable {
    private let body: (Database) throws -> Value
    private var outcome: Result<Value, any Error>?
    private(set) var isDone = false

    init(_ body: @escaping (Database) throws -> Value) { self.body = body }

    var error: (any Error)? {
        guard case .failure(let error) = outcome else { return nil }
        return error
    }

    func run(in database: Database) throws {
        try database.inSavepoint {
            do {
                outcome = .success(try body(database))
                return .commit
            } catch {
                outcome = .failure(error)
                return .rollback
            }
        }
    }

    func finish(_ error: (any Error)?) {
        if let error, self.error == nil { outcome = .failure(error) }
        isDone = true
    }

    func result() throws -> Value {
        guard let outcome else { throw LostWrite() }
        return try outcome.get()
    }
}
