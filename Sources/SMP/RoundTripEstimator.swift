/// How long to wait for an answer, learned from those that came: RFC 6298 §2.
///
/// Three differences. Each attempt has a sequence number of its own, so every answer counts, also one
/// to an attempt that was repeated since: Karn's rule is not needed. A line takes time for each
/// octet, so a request that is longer than most gets more time. And the least time-out is not a
/// second: what is at stake is a line between two neighbours, not a network.
struct RoundTripEstimator: Sendable {
    struct Sample {
        let time: Duration
        /// Octets on the line.
        let sent: Int
        let received: Int
        /// Whether more than the device's time is in it, perhaps: the first sample that is none
        /// replaces it.
        var isGuess = false
    }

    /// More than a busy host and a USB bridge (16 ms) hold an answer back together.
    static let leastTimeout = Duration.milliseconds(80)

    private var smoothed: Duration?
    private var variation = Duration.zero
    private var smoothedOctets = 0.0
    /// Whether there is nothing better than a guess.
    private(set) var isGuess = false
    /// The most that the line takes for an octet: it carried those of a sample within its time.
    private var octetTime = Duration.zero

    mutating func record(_ sample: Sample) {
        let time = sample.time
        let bound = time / Double(max(1, sample.sent + sample.received))
        if let smoothed, !isGuess {
            let deviation = time < smoothed ? smoothed - time : time - smoothed
            variation = variation * 0.75 + deviation * 0.25
            self.smoothed = smoothed * 0.875 + time * 0.125
            smoothedOctets = smoothedOctets * 0.875 + Double(sample.sent) * 0.125
            octetTime = min(octetTime, bound)
        } else {
            smoothed = time
            variation = time / 2
            smoothedOctets = Double(sample.sent)
            octetTime = bound
            isGuess = sample.isGuess
        }
    }

    /// For a request of so many octets on the line. Nil until there was an answer.
    func timeout(octets: Int) -> Duration? {
        guard let smoothed else { return nil }
        let further = octetTime * max(0, Double(octets) - smoothedOctets)
        return max(Self.leastTimeout, smoothed + variation * 4 + further)
    }
}
