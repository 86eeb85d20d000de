import Channels
import Foundation
import Synchronization
import Testing

/// A line between a run and a board, which is cut after so many bytes towards the board: the cable that
/// somebody pulls. Or it carries nothing more then, until it is ended.
final class CutLine: Sendable {
    private let stop = Mutex(false)
    private let isHeld: Bool
    private let overhears: @Sendable ([UInt8]) -> Void
    private let hasReachedLimit = DispatchSemaphore(value: 0)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - user: called on the line's own thread; waits for the run, nil when there will be none.
    ///   - held: open until the cut: a terminal that nobody has open is at its end.
    ///   - board: where its bytes go.
    ///   - overhears: gets what goes to the board, before it goes.
    private init(
        after limit: Int, isHeld: Bool = false, held: Int32 = -1,
        user: @escaping @Sendable (CutLine) -> Int32?,
        board: @escaping @Sendable () -> Int32,
        overhears: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) {
        self.isHeld = isHeld
        self.overhears = overhears
        Thread.detachNewThread { [self] in
            if let user = user(self) {
                let board = board()
                carry(user, board, limit)
                for descriptor in [user, board, held] where descriptor >= 0 { close(descriptor) }
            }
            hasEnded.signal()
        }
    }

    /// A serial line: the path that the run shall open, and the line to `port`.
    static func serial(to port: String, after limit: Int) throws -> (path: String, line: CutLine) {
        let terminal = try PseudoTerminal()
        let line = CutLine(
            after: limit, held: terminal.slave, user: { _ in terminal.master },
            board: { open(port, O_RDWR | O_NOCTTY | O_CLOEXEC) })
        return (terminal.path, line)
    }

    /// A debug probe: the line listens at `path`, and connects to the server at `server`.
    static func probe(
        at path: String, to server: String, after limit: Int, isHeld: Bool = false,
        overhears: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) throws -> CutLine {
        let listener = try unixSocket(path, bind)
        try #require(listen(listener, 1) == 0)
        return CutLine(
            after: limit, isHeld: isHeld,
            user: { line in
                defer { close(listener) }
                while !line.stop.withLock({ $0 }) {
                    var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                    if poll(&entry, 1, 50) > 0 { return accept(listener, nil, nil) }
                }
                return nil
            },
            board: { (try? unixSocket(server, connect)) ?? -1 }, overhears: overhears)
    }

    /// Whether so many bytes went to the board before two minutes were over.
    func reachesLimit() -> Bool { hasReachedLimit.wait(timeout: .now() + 120) == .success }

    /// Waits until nothing is carried any more.
    func end() {
        stop.withLock { $0 = true }
        hasEnded.wait()
    }

    private func carry(_ user: Int32, _ board: Int32, _ limit: Int) {
        var rest = limit
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !stop.withLock({ $0 }) {
            var entries = [user, board].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&entries, 2, 50) >= 0 else { return }
            if entries[0].revents != 0 {
                let count = read(user, &buffer, min(rest, buffer.count))
                if count > 0 { overhears(Array(buffer[..<count])) }
                guard count > 0, write(board, buffer, count) == count else { return }
                rest -= count
                if rest == 0 {
                    hasReachedLimit.signal()
                    while isHeld, !stop.withLock({ $0 }) { usleep(10_000) }
                    return
                }
            }
            if entries[1].revents != 0 {
                let count = read(board, &buffer, buffer.count)
                guard count > 0, write(user, buffer, count) == count else { return }
            }
        }
    }

    static func unixSocket(
        _ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0, "\(path): \(String(cString: strerror(errno)))")
        return descriptor
    }
}
