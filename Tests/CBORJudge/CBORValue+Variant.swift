public import CBOR

extension CBORValue {
    /// An encoding of the same value that another implementation may choose: map keys in any
    /// order, heads longer than need be, indefinite lengths, strings in pieces, wide floats.
    ///
    /// - Precondition: no map key stands twice.
    public func variant(using chance: inout some RandomNumberGenerator) -> [UInt8] {
        switch self {
        case .unsigned(let number):
            return Self.head(0, number, using: &chance)
        case .negative(let number):
            return Self.head(1, number, using: &chance)
        case .bytes(let bytes):
            return Self.string(2, bytes, cuts: Array(bytes.indices), using: &chance)
        case .text(let text):
            let bytes = Array(text.utf8)
            // RFC 8949 §3.2.3: no character is spread over two pieces.
            let cuts = bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 }
            return Self.string(3, bytes, cuts: cuts, using: &chance)
        case .array(let items):
            let content = items.map { $0.variant(using: &chance) }
            return Self.container(4, count: items.count, content, using: &chance)
        case .map(let map):
            let content = map.pairs.shuffled(using: &chance).map {
                $0.key.variant(using: &chance) + $0.value.variant(using: &chance)
            }
            return Self.container(5, count: content.count, content, using: &chance)
        case .tagged(let number, let value):
            return Self.head(6, number, using: &chance) + value.variant(using: &chance)
        case .simple:
            return encoded()
        case .float(let number):
            return Self.float(number, shortest: encoded(), using: &chance)
        }
    }

    private static func head(
        _ major: UInt8, _ argument: UInt64, using chance: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let least =
            argument < 24
            ? 0
            : argument <= 0xFF
                ? 1
                : argument <= 0xFFFF
                    ? 2
                    : argument <= 0xFFFF_FFFF ? 3 : 4
        // Mostly the shortest: what is long in every place is no longer what a message looks like.
        let width = Bool.random(using: &chance) ? least : Int.random(in: least...4, using: &chance)
        guard width > 0 else { return [major << 5 | UInt8(argument)] }
        let length = 1 << (width - 1)
        return [major << 5 | UInt8(23 + width)]
            + (0..<length).reversed().map { UInt8(truncatingIfNeeded: argument >> (8 * $0)) }
    }

    private static func string(
        _ major: UInt8, _ bytes: [UInt8], cuts: [Int],
        using chance: inout some RandomNumberGenerator
    ) -> [UInt8] {
        guard Int.random(in: 0..<3, using: &chance) == 0 else {
            return head(major, UInt64(bytes.count), using: &chance) + bytes
        }
        // Pieces may be empty.
        let chosen = (0..<Int.random(in: 0..<4, using: &chance)).compactMap { _ in
            cuts.randomElement(using: &chance)
        }
        let edges = [0] + chosen.sorted() + [bytes.count]
        let pieces = zip(edges, edges.dropFirst()).flatMap { start, end in
            head(major, UInt64(end - start), using: &chance) + bytes[start..<end]
        }
        return [major << 5 | 31] + pieces + [0xFF]
    }

    private static func container(
        _ major: UInt8, count: Int, _ content: [[UInt8]],
        using chance: inout some RandomNumberGenerator
    ) -> [UInt8] {
        guard Int.random(in: 0..<3, using: &chance) == 0 else {
            return head(major, UInt64(count), using: &chance) + content.flatMap { $0 }
        }
        return [major << 5 | 31] + content.flatMap { $0 } + [0xFF]
    }

    private static func float(
        _ number: Double, shortest: [UInt8], using chance: inout some RandomNumberGenerator
    ) -> [UInt8] {
        func wide(_ initial: UInt8, _ bits: UInt64, _ length: Int) -> [UInt8] {
            [initial]
                + (0..<length).reversed().map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        switch Int.random(in: 0..<3, using: &chance) {
        case 0: return wide(0xFB, number.bitPattern, 8)
        case 1 where Double(Float(number)) == number || number.isNaN:
            return wide(0xFA, UInt64(Float(number).bitPattern), 4)
        default: return shortest
        }
    }
}
