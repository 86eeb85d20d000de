/// A point on the monotonic clock up to which a call may wait.
struct Deadline {
    private let instant: ContinuousClock.Instant?

    /// Waits without end, or until the user interrupts.
    static let never = Deadline(instant: nil)

    private init(instant: ContinuousClock.Instant?) { self.instant = instant }

    /// Durations beyond a hundred days count as a hundred days.
    init(within timeout: Duration) {
        let bounded = min(max(timeout, .zero), .seconds(100 * 24 * 3600))
        instant = ContinuousClock.now.advanced(by: bounded)
    }

    init(_ instant: ContinuousClock.Instant?) { self.instant = instant }

    var remaining: Duration {
        guard let instant else { return .seconds(100 * 24 * 3600) }
        return max(.zero, ContinuousClock.now.duration(to: instant))
    }

    var isPast: Bool { remaining == .zero }

    /// What `poll` takes: −1 is without end. Rounded up, so that a poll never returns too early.
    var pollMilliseconds: Int32 {
        guard instant != nil else { return -1 }
        return Int32(clamping: remaining.roundedUpMilliseconds)
    }

    func earlier(of other: Deadline) -> Deadline {
        remaining <= other.remaining ? self : other
    }
}

extension Duration {
    var roundedUpMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }

    /// For messages: `5 s`, `250 ms`.
    package var brief: String {
        let milliseconds = roundedUpMilliseconds
        guard milliseconds.isMultiple(of: 1000) else { return "\(milliseconds) ms" }
        return "\(milliseconds / 1000) s"
    }
}
