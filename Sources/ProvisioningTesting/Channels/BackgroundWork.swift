import Foundation
import Synchronization

/// Work on a thread of its own, which may block there.
final class BackgroundWork<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    struct Hang: Error, CustomStringConvertible {
        let description = "the far end does not return"
    }

    private let patience: Duration

    init(_ patience: Duration, _ body: @escaping @Sendable () throws -> Value) {
        self.patience = patience
        Thread.detachNewThread { [self] in
            let outcome = Result { try body() }
            result.withLock { $0 = outcome }
            isDone.signal()
        }
    }

    /// What it came to.
    @discardableResult
    func finish() throws -> Value {
        guard isDone.wait(timeout: .now() + 2 * (patience / .seconds(1))) == .success,
            let outcome = result.withLock({ $0 })
        else { throw Hang() }
        return try outcome.get()
    }
}
