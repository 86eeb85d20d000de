import Foundation
import Synchronization

/// What a USB serial bridge keeps of a burst: its buffer empties at the line's rate, and what exceeds it is lost.
final class BridgeBuffer: Sendable {
    /// What it keeps, to be read.
    let source: Int32
    private let sink: Int32
    private let length: Int
    private let bytesPerSecond: Double
    private let state = Mutex((fill: 0.0, since: ContinuousClock.now, overflow: 0))

    init(length: Int, bitsPerSecond: Int) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
        }
        (source, sink) = (ends[0], ends[1])
        self.length = length
        bytesPerSecond = Double(bitsPerSecond) / 10
    }

    var overflow: Int { state.withLock { $0.overflow } }

    func take(_ bytes: ArraySlice<UInt8>) {
        let kept = state.withLock { state in
            let now = ContinuousClock.now
            let left = bytesPerSecond * ((now - state.since) / .seconds(1))
            state.fill = max(0, state.fill - left)
            state.since = now
            let kept = bytes.prefix(max(0, length - Int(state.fill.rounded(.up))))
            state.fill += Double(kept.count)
            state.overflow += bytes.count - kept.count
            return kept
        }
        _ = kept.withUnsafeBytes { write(sink, $0.baseAddress, $0.count) }
    }

    /// To be called once.
    func close() { for end in [source, sink] { _ = Foundation.close(end) } }
}
