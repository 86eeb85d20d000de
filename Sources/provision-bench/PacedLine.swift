import CHost
import Foundation

/// Carries bytes between two descriptors, both ways at once, as a UART does: a byte arrives when the
/// last of its ten bits has (8N1), and the next one ten bits later.
///
/// As a UART with a FIFO, it hands over up to 16 bytes at a time; never early, and the last byte of
/// a burst never late.
final class PacedLine: Sendable {
    private let stopPipe: (read: Int32, write: Int32)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Bytes that the receiver's FIFO holds back at most.
    private static let fifoLength = 16

    /// Neither descriptor is closed by this object; both become non-blocking.
    init(between a: Int32, and b: Int32, baud: Int) throws {
        var (read, write) = (Int32(-1), Int32(-1))
        guard chost_pipe(&read, &write, true) == 0, chost_set_nonblocking(a, true) == 0,
            chost_set_nonblocking(b, true) == 0
        else { throw Failure("no paced line: \(String(cString: strerror(errno)))") }
        stopPipe = (read, write)
        let byteTime = Duration.seconds(1) * 10 / baud
        // One thread each way: one that sleeps for its next byte would see the other way's too late.
        for (source, sink) in [(a, b), (b, a)] {
            let thread = Thread { [stop = read, hasEnded] in
                var flow = Flow(source, sink, byteTime)
                while flow.carry(until: stop) {}
                hasEnded.signal()
            }
            thread.name = "paced line"
            thread.start()
        }
    }

    deinit {
        var byte: UInt8 = 0
        _ = write(stopPipe.write, &byte, 1)
        for _ in 0..<2 { hasEnded.wait() }
        close(stopPipe.read)
        close(stopPipe.write)
    }

    /// One direction.
    private struct Flow {
        private let source: Int32
        private let sink: Int32
        private let byteTime: Duration
        private var queue: [UInt8] = []
        /// When the first byte of the queue has arrived; of an empty queue, when the last one had.
        private var arrival = ContinuousClock.now

        init(_ source: Int32, _ sink: Int32, _ byteTime: Duration) {
            (self.source, self.sink, self.byteTime) = (source, sink, byteTime)
        }

        /// Waits for the next bytes, or for their time. False at the end.
        mutating func carry(until stop: Int32) -> Bool {
            var entries = [
                pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
                pollfd(fd: source, events: Int16(POLLIN), revents: 0),
            ]
            // What arrives behind other bytes waits for them anyhow.
            _ = poll(&entries, nfds_t(entries.count), queue.isEmpty ? -1 : 0)
            guard entries[0].revents == 0 else { return false }
            if entries[1].revents != 0, !take() { return false }
            deliver()
            return true
        }

        private mutating func take() -> Bool {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
            if queue.isEmpty { arrival = max(arrival, .now) + byteTime }
            queue += buffer[..<count]
            return true
        }

        private mutating func deliver() {
            guard !queue.isEmpty else { return }
            let full = arrival + byteTime * (min(queue.count, PacedLine.fifoLength) - 1)
            let pause = max(full - .now, .zero).components
            // Less than the FIFO takes to fill: 1.4 ms at 115,200 baud.
            usleep(UInt32(pause.attoseconds / 1_000_000_000_000))
            let now = ContinuousClock.now
            guard now >= arrival else { return }
            let count = min(queue.count, 1 + Int((now - arrival) / byteTime))
            let sent = queue.withUnsafeBytes { write(sink, $0.baseAddress, count) }
            guard sent > 0 else { return }
            queue.removeFirst(sent)
            arrival += byteTime * (queue.isEmpty ? sent - 1 : sent)
        }
    }
}
