import Foundation
import Synchronization

/// Writes to one descriptor on a thread of its own: a pipe that nobody reads holds up that thread, and whoever waits
/// decides for how long.
///
/// `poll` would not do. Between its answer and the write, another process may fill the same pipe, and to have the
/// descriptor never wait would change it for all who share it.
final class OutputWriter: Sendable {
    /// What is written at once.
    final class Part: Sendable {
        let began = ContinuousClock.now
        fileprivate let octets: [UInt8]
        fileprivate let result = Mutex<Int32?>(nil)
        fileprivate let ended = DispatchSemaphore(value: 0)

        fileprivate init(_ octets: [UInt8]) { self.octets = octets }

        /// 0, or the `errno` that it ended with; nil if it is still under way at `deadline`.
        func wait(until deadline: ContinuousClock.Instant) -> Int32? {
            if let result = result.withLock({ $0 }) { return result }
            let rest = max(.zero, ContinuousClock.now.duration(to: deadline))
            guard ended.wait(timeout: .now() + rest / .seconds(1)) == .success else { return nil }
            // For the next who waits.
            ended.signal()
            return result.withLock { $0 }
        }
    }

    private struct Queue {
        var parts: [Part] = []
        var hasThread = false
    }

    private let descriptor: Int32
    private let queue = Mutex(Queue())
    private let filled = DispatchSemaphore(value: 0)

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Has it written behind what was submitted before.
    func submit(_ octets: [UInt8]) -> Part {
        let part = Part(octets)
        let isFirst = queue.withLock { queue in
            queue.parts.append(part)
            defer { queue.hasThread = true }
            return !queue.hasThread
        }
        filled.signal()
        if isFirst { Thread.detachNewThread { [self] in serve() } }
        return part
    }

    private func serve() {
        while true {
            filled.wait()
            let part = queue.withLock { $0.parts.removeFirst() }
            let result = Self.write(part.octets, to: descriptor)
            part.result.withLock { $0 = result }
            part.ended.signal()
        }
    }

    /// Writes everything, however long that takes, or gives up: `provision keys | head`.
    ///
    /// - Returns: 0, or the `errno` that it gave up with.
    static func write(_ octets: [UInt8], to descriptor: Int32) -> Int32 {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, 1000)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
