import Foundation
import Synchronization

/// Standard error. What nobody reads is lost in the end, and said to be: it must not hold up a run.
final class ProgressOutput: Sendable {
    private struct State {
        var last: OutputWriter.Part?
        var lostLines = 0
    }

    private let writer: OutputWriter
    private let state = Mutex(State())

    /// How long a line may wait for its reader. Once one has, the next ones do not.
    private static let patience = Duration.seconds(2)

    init(descriptor: Int32) { writer = OutputWriter(descriptor: descriptor) }

    /// Writes it, or loses it where what came before is not taken.
    ///
    /// - Parameter isUrgent: what ends a run waits as long once more.
    /// - Returns: 0, or why it is not there: `ETIMEDOUT` while nobody reads.
    func write(_ octets: [UInt8], isUrgent: Bool = false) -> Int32 {
        guard isTaken(sinceNow: isUrgent) else {
            let lines = octets.count { $0 == UInt8(ascii: "\n") }
            state.withLock { $0.lostLines += lines }
            return ETIMEDOUT
        }
        return submit(octets)
    }

    /// Says at the end what was lost, if somebody reads again.
    func finish() {
        guard isTaken(sinceNow: true), state.withLock({ $0.lostLines }) > 0 else { return }
        _ = submit([])
    }

    /// Whether everything before was written, or is before its time is over.
    private func isTaken(sinceNow: Bool) -> Bool {
        guard let last = state.withLock({ $0.last }) else { return true }
        return last.wait(until: (sinceNow ? .now : last.began) + Self.patience) != nil
    }

    private func submit(_ octets: [UInt8]) -> Int32 {
        let part = state.withLock { state in
            let part = writer.submit(Self.note(state.lostLines) + octets)
            state = State(last: part)
            return part
        }
        return part.wait(until: part.began + Self.patience) ?? ETIMEDOUT
    }

    private static func note(_ lostLines: Int) -> [UInt8] {
        guard lostLines > 0 else { return [] }
        let lines = lostLines == 1 ? "1 line is" : "\(lostLines) lines are"
        return Array("provision: \(lines) lost here, for nobody read them in time\n".utf8)
    }
}
