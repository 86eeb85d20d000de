/// What a bad serial line does to the bytes of one direction, decided byte by byte from a seed, so
/// that it does not depend on how reads cut the stream.
public struct LineFaults: Sendable {
    /// The probability of each fault, per byte.
    public struct Rates: Sendable {
        public var drop = 0.0
        public var flip = 0.0
        public var duplicate = 0.0
        public var delay = 0.0

        public init(each rate: Double = 0) {
            (drop, flip, duplicate, delay) = (rate, rate, rate, rate)
        }
    }

    public struct Counts: Equatable, Sendable {
        public var passed = 0
        public var dropped = 0
        public var flipped = 0
        public var duplicated = 0
        public var delayed = 0
    }

    /// Bytes that arrive together, and how long the line holds them back first.
    public struct Piece: Equatable, Sendable {
        public var delay: Duration
        public var bytes: [UInt8]
    }

    /// A line keeps its order: what comes behind a delayed byte is delayed with it. Milliseconds.
    private static let delays = 1...20

    public private(set) var counts = Counts()
    private let rates: Rates
    private var generator: SeededGenerator

    public init(_ rates: Rates, seed: UInt64) {
        self.rates = rates
        generator = SeededGenerator(seed: seed)
    }

    /// What becomes of `bytes`.
    public mutating func pass(_ bytes: [UInt8]) -> [Piece] {
        var pieces = [Piece(delay: .zero, bytes: [])]
        for byte in bytes {
            let isDropped = happens(rates.drop)
            let flippedBit =
                happens(rates.flip) ? UInt8(1) << generator.next(upperBound: UInt8(8)) : 0
            let isDuplicated = happens(rates.duplicate)
            let isDelayed = happens(rates.delay)
            counts.passed += 1
            if isDropped {
                counts.dropped += 1
                continue
            }
            if isDelayed {
                counts.delayed += 1
                let time = Int.random(in: Self.delays, using: &generator)
                pieces.append(Piece(delay: .milliseconds(time), bytes: []))
            }
            if flippedBit != 0 { counts.flipped += 1 }
            if isDuplicated { counts.duplicated += 1 }
            let arrived = [UInt8](repeating: byte ^ flippedBit, count: isDuplicated ? 2 : 1)
            pieces[pieces.count - 1].bytes += arrived
        }
        return pieces.filter { !$0.bytes.isEmpty || $0.delay > .zero }
    }

    private mutating func happens(_ rate: Double) -> Bool {
        Double.random(in: 0..<1, using: &generator) < rate
    }
}
