/// How long the core runs between two looks at its memory.
///
/// Each look of a probe that halts costs the core its time, and each pause costs the host its own. So looks
/// come often while bytes flow, ever less often when none do, and never so often that the core stands
/// still more than it runs.
package struct RTTPace {
    /// Time enough for the core to fill a ring, or to answer.
    private static let shortest = Duration.microseconds(400)
    /// What a person who types does not notice.
    private static let longest = Duration.milliseconds(10)

    private let haltsCore: Bool
    private var cost = Duration.zero
    private var idle = shortest
    private var isBusy = true

    package init(haltsCore: Bool) { self.haltsCore = haltsCore }

    /// A look has ended that took `time`.
    package mutating func looked(for time: Duration, moved: Bool) {
        cost = time
        isBusy = moved
        idle = moved ? Self.shortest : min(idle * 3 / 2, max(Self.longest, least))
    }

    /// What the core gets in any case before the next look.
    package var least: Duration {
        guard haltsCore else { return isBusy ? .zero : Self.shortest }
        return isBusy ? max(Self.shortest, cost / 8) : max(Self.shortest, cost)
    }

    /// What it gets while there is nothing to send.
    package var pause: Duration { isBusy ? least : max(least, idle) }
}
