/// How long the core runs between two looks at its memory.
///
/// Each look of a probe that halts costs the core its time, and each pause costs the host its own. So looks
/// come often while bytes flow, and ever less often when none do: then the core runs more than it stands still.
package struct RTTPace {
    /// Time enough for the core to answer; or to fill a ring, as far as is known.
    private static let usual = Duration.microseconds(400)
    /// For a core that had its ring full in less.
    private static let shortest = Duration.microseconds(20)
    /// What a person who types does not notice.
    private static let longest = Duration.milliseconds(10)
    /// The core's, of the time of a look: when each takes long, it must not be left out. A core whose ring is full
    /// mostly waits for the host.
    private static let (share, shareWhenFull) = (16, 64)

    private let haltsCore: Bool
    private var cost = Duration.zero
    private var burst = usual
    /// The last burst that did not fill the ring. Near it steps are small, for a ring half full costs more than a
    /// core that waits.
    private var tooShort = Duration.zero
    private var idle = usual
    private var isBusy = true

    package init(haltsCore: Bool) { self.haltsCore = haltsCore }

    /// A look has ended that took `time`.
    ///
    /// - Parameters:
    ///   - moved: whether it carried bytes.
    ///   - fill: how full it found the fullest ring: 0 to 1.
    package mutating func looked(for time: Duration, moved: Bool, fill: Double = 0) {
        cost = time
        isBusy = moved
        // A ring that is not full has cost a whole look, halt and resume, for a part of what that could have
        // carried, and says how much longer it needs. One that was full before costs the core time, and does
        // not say since when.
        if fill >= RTTControlBlock.Ring.nearlyFull {
            let isNear = burst > tooShort * 3 / 4 && burst < tooShort * 5 / 4
            burst = max(
                Self.shortest, cost / Self.shareWhenFull, isNear ? burst * 63 / 64 : burst * 7 / 8)
        } else {
            if fill >= Self.telling { tooShort = burst }
            burst = min(max(Self.usual, cost / Self.share), burst * Self.growth(at: fill))
        }
        idle = moved ? Self.usual : min(idle * 3 / 2, max(Self.longest, least))
    }

    /// Less says less of the core than of the host, which had it begin too late.
    private static let telling = 0.25

    private static func growth(at fill: Double) -> Double {
        fill < telling ? 9.0 / 8 : min(1.5, 1 / fill)
    }

    /// What the core gets in any case before the next look.
    package var least: Duration {
        guard haltsCore else { return isBusy ? .zero : Self.usual }
        return isBusy ? burst : max(Self.usual, cost)
    }

    /// What it gets while there is nothing to send.
    package var pause: Duration { isBusy ? least : max(least, idle) }
}
