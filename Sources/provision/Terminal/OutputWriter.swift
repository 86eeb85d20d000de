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

        /// Microseconds between two looks: at first, and at most.
        private static let (shortPause, longPause) = (UInt32(50), UInt32(20_000))

        fileprivate init(_ octets: [UInt8]) { self.octets = octets }

        /// 0, or the `errno` that it ended with; nil if it is still under way at `deadline`.
        ///
        /// Not by a semaphore: on Linux, one waits until a time of day, which whoever sets the clock changes.
        func wait(until deadline: ContinuousClock.Instant) -> Int32? {
            var pause = Self.shortPause
            while true {
                if let result = result.withLock({ $0 }) { return result }
                guard .now < deadline else { return nil }
                usleep(pause)
                pause = min(2 * pause, Self.longPause)
            }
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
