import Channels
import Foundation
import PlatformAdapter
import Provisioning
import ProvisioningTesting
import Synchronization

/// The promises of `Channel`, of the one that an adapter carries.
struct AdapterChannelCheck {
    let program: AdapterProgram
    let interruption: Interruption

    private static let patience = Duration.seconds(5)

    func run(_ check: ChannelCheck) -> CheckResult {
        let ends = Ends()
        let result = CheckResult.of("channel", check.rawValue) {
            let isMade = try check.run(patience: Self.patience) {
                // Of its own: what a check interrupts is interrupted for good.
                let own = try Interruption()
                let bench = try AdapterBench(program, own)
                ends.bench = bench
                let channel = try AdapterChannel(bench.greeted(), port: nil, isFlashed: false)
                return ChannelUnderTest(
                    channel: channel, farEnd: BoardConsole(bench.board),
                    interrupt: { own.interrupt() })
            }
            try require(isMade, "it can't be made")
            return ""
        }
        // A check that failed may have left somebody behind who still sends.
        ends.bench?.end(closesConsole: result.outcome == .passed)
        return result
    }

    /// What a check opened.
    private final class Ends {
        var bench: AdapterBench?
    }
}

/// The board's end of its console.
final class BoardConsole: ChannelFarEnd {
    private let board: BoardFolder
    private let isGone = Mutex(false)

    init(_ board: BoardFolder) { self.board = board }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(board.master, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                try require(errno == EAGAIN || errno == EINTR, "the console is gone")
                try wait(for: POLLOUT, within: .seconds(10))
            }
        }
    }

    func receive(atMost limit: Int, within timeout: Duration) throws -> [UInt8] {
        try wait(for: POLLIN, within: timeout)
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = read(board.master, &bytes, limit)
        return Array(bytes.prefix(max(0, count)))
    }

    /// The number stays ours: another thread may still use it.
    func leave() throws {
        let isFirst = isGone.withLock { isGone in
            defer { isGone = true }
            return !isGone
        }
        guard isFirst else { return }
        board.unplug()
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { Foundation.close(nothing) }
        try require(dup2(nothing, board.master) >= 0, "the console stays")
        _ = fcntl(board.master, F_SETFD, FD_CLOEXEC)
    }

    private func wait(for events: Int32, within timeout: Duration) throws {
        var entry = pollfd(fd: board.master, events: Int16(events), revents: 0)
        let milliseconds = Int32((timeout / .milliseconds(1)).rounded(.up))
        try require(
            poll(&entry, 1, milliseconds) >= 0 || errno == EINTR, "the console can't be polled")
    }
}
