/// What a bad serial line does to the bytes of one direction, decided byte by byte from a seed, so
/// that it does not depend on how reads cut the stream.
public struct LineFaults: Sendable {
    /// The probability of each fault, per byte; less than 1 in sum.
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
    /// Draws below these have the fault, unless they are below the one before.
    private let thresholds: (drop: UInt64, flip: UInt64, duplicate: UInt64, delay: UInt64)
    private var generator: SeededGenerator

    public init(_ rates: Rates, seed: UInt64) {
        func threshold(_ probability: Double) -> UInt64 { UInt64(probability * 0x1p64) }
        let flip = rates.drop + rates.flip
        let duplicate = flip + rates.duplicate
        thresholds = (
            threshold(rates.drop), threshold(flip), threshold(duplicate),
            threshold(duplicate + rates.delay)
        )
        generator = SeededGenerator(seed: seed)
    }

    /// What becomes of `bytes`. One draw decides what happens to a byte, so at most one thing does.
    public mutating func pass(_ bytes: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var current = Piece(delay: .zero, bytes: [])
        for byte in bytes {
            counts.passed += 1
            let draw = generator.next()
            guard draw < thresholds.delay else {
                current.bytes.append(byte)
                continue
            }
            if draw < thresholds.drop {
                counts.dropped += 1
            } else if draw < thresholds.flip {
                counts.flipped += 1
                current.bytes.append(byte ^ 1 << UInt8(truncatingIfNeeded: draw % 8))
            } else if draw < thresholds.duplicate {
                counts.duplicated += 1
                current.bytes += [byte, byte]
            } else {
                counts.delayed += 1
                if !current.bytes.isEmpty { pieces.append(current) }
                let time = Int.random(in: Self.delays, using: &generator)
                current = Piece(delay: current.pendingDelay + .milliseconds(time), bytes: [byte])
            }
        }
        if !current.bytes.isEmpty { pieces.append(current) }
        return pieces
    }
}

extension LineFaults.Piece {
    /// The delay of a piece that has no bytes yet goes to the next.
    fileprivate var pendingDelay: Duration { bytes.isEmpty ? delay : .zero }
}
