/// How a request is given to a line that keeps losing it.
///
/// A USB serial bridge, or a device, may have a buffer of some dozen octets, and drop what exceeds it when a request
/// comes in one burst. Nothing tells that from silence: a request that was lost twice is sent in pieces, with a
/// pause behind each, and more slowly if that does not help. What has helped stays.
struct LinePace {
    struct Step: Equatable {
        /// Octets.
        let pieceLength: Int
        /// Behind each piece. Shorter than what raw framing takes for a message's end, which is 50 ms.
        let pause: Duration
    }

    /// How to send now; nil: in one go.
    var step: Step? { index.map { Self.steps[$0] } }
    private var index: Int?
    /// Of the request that is open.
    private var losses = 0

    /// Buffers of 64 octets are usual, and of 16 octets in old UARTs. The pauses let the pieces leave at 115,200,
    /// 38,400, 19,200 and 9600 baud.
    private static let steps = [
        Step(pieceLength: 48, pause: .milliseconds(6)),
        Step(pieceLength: 32, pause: .milliseconds(10)),
        Step(pieceLength: 32, pause: .milliseconds(20)),
        Step(pieceLength: 16, pause: .milliseconds(20)),
    ]

    /// A new request.
    mutating func begin() { losses = 0 }

    /// The request that is open did not arrive, as far as its silence tells. Behind the slowest step comes none
    /// again: then it was something else.
    mutating func lose() {
        losses += 1
        guard losses.isMultiple(of: 2) else { return }
        let next = (index ?? -1) + 1
        index = next < Self.steps.count ? next : nil
    }
}
