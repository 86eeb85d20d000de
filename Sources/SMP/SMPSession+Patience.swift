extension SMPSession {
    /// How long a request may stay without an answer.
    public struct Patience: Hashable, Sendable {
        /// The first wait, while the session does not know how long this device takes. Each silence
        /// doubles it.
        public var firstWait = Duration.seconds(1)
        /// From the first attempt until the request is given up, whatever comes that is no answer.
        public var limit = Duration.seconds(15)
        /// Whether the answer takes work that a repeat would have done again: a key, a signature.
        /// Silence is answered with an inquiry then, not with a repeat.
        var isForWork = false
        /// Whether the device may not run yet. Silence is no loss then.
        var isForStart = false

        public init() {}

        public init(firstWait: Duration, limit: Duration) {
            self.firstWait = firstWait
            self.limit = limit
        }

        /// For an answer that takes up to `time`, and for what may go wrong on its way: nearly four
        /// times as long in all, so that the third of four waits is `time` where nothing is known.
        public static func within(_ time: Duration) -> Patience {
            Patience(firstWait: time / 4, limit: time / 4 * 15)
        }

        /// As `within`, for an answer that takes work.
        public static func working(_ time: Duration) -> Patience {
            var patience = Patience(
                firstWait: min(time / 4, .milliseconds(250)), limit: time / 4 * 15)
            patience.isForWork = true
            return patience
        }

        /// For a device that starts within `time`: half as long again, for the last repeat's answer.
        public static func starting(_ time: Duration) -> Patience {
            var patience = Patience(firstWait: .milliseconds(250), limit: time * 1.5)
            patience.isForStart = true
            return patience
        }
    }
}
