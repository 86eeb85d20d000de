/// How long to wait for an answer, learned from those that came: RFC 6298 §2.
///
/// Three differences. Each attempt has a sequence number of its own, so every answer counts, also one
/// to an attempt that was repeated since (Karn's rule is not needed). A line takes time for each
/// octet, so that a request which is longer than most gets more time in proportion. And the least
/// time-out is not a second: what is at stake is a line between two neighbours, not a network.
struct RoundTripEstimator: Sendable {
    /// More than the host's scheduler and a USB bridge (16 ms) hold an answer back together.
    static let leastTimeout = Duration.milliseconds(50)

    private var smoothed: Duration?
    private var variation = Duration.zero
    private var smoothedOctets = 0.0

    /// - Parameter octets: of the request, as sent.
    mutating func record(_ roundTrip: Duration, octets: Int) {
        let octets = Double(octets)
        if let smoothed {
            let deviation = roundTrip < smoothed ? smoothed - roundTrip : roundTrip - smoothed
            variation = variation * 0.75 + deviation * 0.25
            self.smoothed = smoothed * 0.875 + roundTrip * 0.125
            smoothedOctets = smoothedOctets * 0.875 + octets * 0.125
        } else {
            smoothed = roundTrip
            variation = roundTrip / 2
            smoothedOctets = octets
        }
    }

    /// Nil until there was an answer.
    func timeout(octets: Int) -> Duration? {
        guard let smoothed else { return nil }
        let proportion = max(1, Double(octets) / max(1, smoothedOctets))
        return max(Self.leastTimeout, (smoothed + variation * 4) * proportion)
    }
}
