/// How long the core runs between two looks at its memory.
///
/// Each look of a probe that halts costs the core its time, and each pause costs the host its own. So looks
/// come often while bytes flow, ever less often when none do, and never so often that the core stands
/// still more than it runs.
package struct RTTPace {
    /// Time enough for the core to answer; or to fill a ring, as far as is known.
    private static let usual = Duration.microseconds(400)
    /// For a core that had its ring full in less.
    private static let shortest = Duration.microseconds(50)
    /// What a person who types does not notice.
    private static let longest = Duration.milliseconds(10)
    /// The core's, of the time of a look: when each takes long, it must not be left out.
    private static let share = 16

    private let haltsCore: Bool
    private var cost = Duration.zero
    private var burst = usual
    private var idle = usual
    private var isBusy = true

    package init(haltsCore: Bool) { self.haltsCore = haltsCore }

    /// A look has ended that took `time`.
    ///
    /// - Parameters:
    ///   - moved: whether it carried bytes.
    ///   - isFull: whether it found a ring that the core had no more room in.
    package mutating func looked(for time: Duration, moved: Bool, isFull: Bool = false) {
        cost = time
        isBusy = moved
        // A ring that is not full has cost a whole look, halt and resume, for a part of what that could
        // have carried; one that was full a little before has cost the core a little of its time. So the
        // way down is slow, and a dozen looks find a full ring for one that does not.
        burst =
            isFull
            ? max(Self.shortest, burst * 31 / 32)
            : min(max(Self.usual, cost / Self.share), burst * 3 / 2)
        idle = moved ? Self.usual : min(idle * 3 / 2, max(Self.longest, least))
    }

    /// What the core gets in any case before the next look.
    package var least: Duration {
        guard haltsCore else { return isBusy ? .zero : Self.usual }
        return isBusy ? burst : max(Self.usual, cost)
    }

    /// What it gets while there is nothing to send.
    package var pause: Duration { isBusy ? least : max(least, idle) }
}
