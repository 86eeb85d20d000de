import Dispatch
import GRDB
import Synchronization

/// Threads that write at the same time share one transaction, so that they wait for the disk once.
///
/// Each write stands in a savepoint of its own: one that throws takes nothing back but itself.
final class GroupCommit: Sendable {
    private struct State {
        var waiting: [any PendingWrite] = []
        var hasLeader = false
    }

    private let state = Mutex(State())

    /// Most writes in one transaction: it keeps other processes waiting.
    private static let maximumCount = 64

    /// Runs `body` in a transaction. When this returns, the transaction is durable.
    func write<Value>(
        to pool: DatabasePool, _ body: @escaping (Database) throws -> Value
    ) throws -> Value {
        let own = Write(body)
        let leads = state.withLock { state in
            state.waiting.append(own)
            defer { state.hasLeader = true }
            return !state.hasLeader
        }
        // Whoever comes first writes for all who wait. They wait for their own write and not for the writer:
        // each would have to get hold of it once, one after the other, only to find that all is done.
        if leads || own.waitToLead() {
            pool.writeWithoutTransaction { database in
                while !own.isDone { Self.commit(nextGroup(), to: database) }
            }
            resign()
        }
        return try own.result()
    }

    private func nextGroup() -> [any PendingWrite] {
        state.withLock { state in
            defer { state.waiting.removeFirst(min(state.waiting.count, Self.maximumCount)) }
            return Array(state.waiting.prefix(Self.maximumCount))
        }
    }

    /// What has come meanwhile is led by one of those who wait for it.
    private func resign() {
        let next = state.withLock { state in
            state.hasLeader = !state.waiting.isEmpty
            return state.waiting.first
        }
        next?.lead()
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

    /// Has the thread that waits for it write for all.
    func lead()
}

// Only the thread that has the writer touches a write, while the thread that made it waits to be told.
private final class Write<Value>: PendingWrite, @unchecked Sendable {
    private let body: (Database) throws -> Value
    private var outcome: Result<Value, any Error>?
    private(set) var isDone = false
    private let told = DispatchSemaphore(value: 0)

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
        told.signal()
    }

    func lead() { told.signal() }

    /// False: it is done.
    func waitToLead() -> Bool {
        told.wait()
        return !isDone
    }

    func result() throws -> Value {
        guard let outcome else { throw LostWrite() }
        return try outcome.get()
    }
}
