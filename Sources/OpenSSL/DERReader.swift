/// Reads DER strictly, value by value: definite minimal lengths, single-octet tags, nothing beyond
/// the end. Copies nothing and never recurses.
struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// The next value's tag; nil at the end.
    var nextTag: UInt8? { rest.first }

    /// One value of any tag: its tag, its content, and the whole as it stands.
    mutating func next() throws(DERError) -> (
        tag: UInt8, content: ArraySlice<UInt8>, encoded: ArraySlice<UInt8>
    ) {
        var cursor = rest
        guard let tag = cursor.popFirst(), let first = cursor.popFirst() else { throw .truncated }
        guard tag & 0x1F != 0x1F else { throw .unsupportedTag }
        var length = Int(first)
        if first >= 0x80 {
            let width = Int(first & 0x7F)
            guard (1...4).contains(width) else { throw .badLength }
            guard cursor.count >= width else { throw .truncated }
            length = cursor.prefix(width).reduce(0) { $0 << 8 | Int($1) }
            cursor = cursor.dropFirst(width)
            guard length >= 0x80, length >> (8 * (width - 1)) != 0 else { throw .badLength }
        }
        guard cursor.count >= length else { throw .truncated }
        let content = cursor.prefix(length)
        let encoded = rest[rest.startIndex..<content.endIndex]
        rest = cursor.dropFirst(length)
        return (tag, content, encoded)
    }

    /// The content of the next value, which must have this tag.
    mutating func content(_ tag: UInt8) throws(DERError) -> ArraySlice<UInt8> {
        let value = try next()
        guard value.tag == tag else { throw .unexpectedTag(expected: tag, found: value.tag) }
        return value.content
    }

    mutating func reader(_ tag: UInt8) throws(DERError) -> DERReader {
        DERReader(try content(tag))
    }

    /// The content of the next value if it has this tag; otherwise nothing is read.
    mutating func optional(_ tag: UInt8) throws(DERError) -> ArraySlice<UInt8>? {
        nextTag == tag ? try content(tag) : nil
    }

    /// The magnitude of a non-negative, minimal INTEGER without leading zeroes; empty is zero.
    mutating func magnitude() throws(DERError) -> [UInt8] {
        let content = try content(DERTag.integer)
        guard let first = content.first, first & 0x80 == 0 else { throw .badValue("an integer") }
        let digits = content.drop { $0 == 0 }
        let isMinimal = content.count == 1 || first != 0 || (digits.first ?? 0) & 0x80 != 0
        guard isMinimal, content.count - digits.count <= 1 else { throw .badValue("an integer") }
        return Array(digits)
    }

    /// The octets of a BIT STRING that has no unused bits.
    mutating func octetsOfBitString() throws(DERError) -> ArraySlice<UInt8> {
        let content = try content(DERTag.bitString)
        guard content.first == 0 else { throw .badValue("a bit string") }
        return content.dropFirst()
    }

    func end() throws(DERError) {
        guard rest.isEmpty else { throw .trailing(rest.count) }
    }
}

/// Why octets are not the DER that they should be.
enum DERError: Error, Hashable, CustomStringConvertible {
    case truncated
    case badLength
    case unsupportedTag
    case unexpectedTag(expected: UInt8, found: UInt8)
    case badValue(String)
    case trailing(Int)

    var description: String {
        switch self {
        case .truncated: "it ends too early"
        case .badLength: "a length is not in its shortest definite form"
        case .unsupportedTag: "a tag has more than one octet"
        case .unexpectedTag(let expected, let found):
            "expected tag \(hexadecimal(expected)), not \(hexadecimal(found))"
        case .badValue(let what): "\(what) is not well formed"
        case .trailing(let count): "\(count) octets follow the end"
        }
    }

    private func hexadecimal(_ tag: UInt8) -> String {
        (tag < 0x10 ? "0" : "") + String(tag, radix: 16)
    }
}
