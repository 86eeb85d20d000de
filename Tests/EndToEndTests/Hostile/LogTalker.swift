import Foundation
import Synchronization

/// Says the same again and again to whoever reads a log, until it is stopped.
final class LogTalker: Sendable {
    private let isStopped = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Octets that are said at once, and the microseconds of rest behind them: a file takes all that it gets.
    private static let (pieceLength, pause) = (1 << 16, useconds_t(10_000))

    /// - Parameter descriptor: asked for until it gives one, which is closed with the end.
    init(_ text: [UInt8], to descriptor: @escaping @Sendable () -> Int32?) {
        Thread.detachNewThread { [self] in
            talk(text, descriptor)
            hasEnded.signal()
        }
    }

    /// To be called once.
    func stop() {
        isStopped.withLock { $0 = true }
        hasEnded.wait()
    }

    private var goesOn: Bool { isStopped.withLock { !$0 } }

    private func talk(_ text: [UInt8], _ descriptor: @Sendable () -> Int32?) {
        var sink: Int32?
        while goesOn, sink == nil {
            sink = descriptor()
            usleep(Self.pause)
        }
        guard let sink else { return }
        defer { close(sink) }
        var rest = text[...]
        while goesOn {
            let count = Self.send(rest.prefix(Self.pieceLength), to: sink)
            guard count >= 0 || errno == EAGAIN else { return }
            rest = rest.dropFirst(max(0, count))
            if rest.isEmpty { rest = text[...] }
            usleep(Self.pause)
        }
    }

    /// Nobody who has left a socket ends the tests.
    private static func send(_ bytes: ArraySlice<UInt8>, to sink: Int32) -> Int {
        bytes.withUnsafeBytes { bytes in
            let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
            let count = Glibc.send(sink, bytes.baseAddress, bytes.count, flags)
            guard count < 0, errno == ENOTSOCK else { return count }
            return write(sink, bytes.baseAddress, bytes.count)
        }
    }
}
