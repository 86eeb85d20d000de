/// Finds what toml++ 3.4 asserts instead of reporting it: a closing bracket that does not match, a table
/// header that begins with what cannot begin a key, and Unicode's white space outside of strings.
/// SwiftPM keeps assertions in release builds, so a slip of the finger in a platform file would end the
/// process. So would tables that nest without end, which toml++ takes apart by recursion.
struct TOMLPrecheck {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    /// The opening brackets that are not closed yet.
    private var open: [UInt8] = []
    /// Dots since the last key or value began.
    private var dotCount = 0
    /// Nothing but white space stood on this line so far.
    private var isAtLineStart = true

    /// Far beyond what a platform file needs: names that one key joins with dots, and brackets in brackets.
    private static let (maximumNameCount, maximumNesting) = (16, 32)

    private init(_ text: String) {
        bytes = Array(text.utf8)
        // A byte order mark, which editors of Windows write and toml++ skips.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The line of the first offence, nil if there is none. Text that is no TOML for another reason is
    /// left to the parser.
    static func firstOffence(in text: String) -> (line: Int, reason: String)? {
        var check = TOMLPrecheck(text)
        return check.run().map { (check.line, $0) }
    }

    private mutating func run() -> String? {
        while let byte = peek() {
            if "\n\r=,[]{}".utf8.contains(byte) { dotCount = 0 }
            switch byte {
            case 0x0A...0x0D:
                position += 1
                if byte == 0x0A { line += 1 }
                isAtLineStart = true
                continue
            case UInt8(ascii: "#"):
                skip { !(0x0A...0x0D).contains($0) }
                continue
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                guard skipString(byte) else { return nil }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if isAtLineStart, byte == UInt8(ascii: "["), !isHeader() {
                    return "expected a table's name after \"[\""
                }
                guard open.count < Self.maximumNesting else {
                    return "more than \(Self.maximumNesting) brackets are open"
                }
                open.append(byte)
                position += 1
            case UInt8(ascii: "."):
                dotCount += 1
                guard dotCount < Self.maximumNameCount else {
                    return "a key joins more than \(Self.maximumNameCount) names with dots"
                }
                position += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                let opening = byte == UInt8(ascii: "]") ? UInt8(ascii: "[") : UInt8(ascii: "{")
                guard open.popLast() == opening else {
                    return "unexpected \"\(Character(UnicodeScalar(byte)))\""
                }
                position += 1
            case 0x80...0xFF:
                return "only strings and comments may have other characters than ASCII"
            default:
                position += 1
                if byte == 0x20 || byte == 0x09 { continue }
            }
            isAtLineStart = false
        }
        return nil
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while let byte = peek(), condition(byte) { position += 1 }
    }

    /// Whether a key, or the `]` that the parser reports itself, follows the one or two brackets here.
    private func isHeader() -> Bool {
        var rest = bytes[position...].dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
        if rest.first == UInt8(ascii: "[") {
            rest = rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
        }
        guard let first = rest.first else { return true }
        let scalar = Character(UnicodeScalar(first))
        return scalar.isASCII && (scalar.isLetter || scalar.isNumber || "_-\"']".contains(scalar))
    }

    /// Goes past the string that begins here; false if it does not end.
    private mutating func skipString(_ quote: UInt8) -> Bool {
        let isMultiLine = peek(1) == quote && peek(2) == quote
        position += isMultiLine ? 3 : 1
        while let byte = peek() {
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                if peek(1) == 0x0A { line += 1 }
                position += 2
            } else if byte == quote, !isMultiLine || (peek(1) == quote && peek(2) == quote) {
                position += isMultiLine ? 3 : 1
                // Two more quotes may belong to the string.
                if isMultiLine { skip { $0 == quote } }
                return true
            } else {
                if byte == 0x0A { line += 1 }
                guard isMultiLine || !(0x0A...0x0D).contains(byte) else { return false }
                position += 1
            }
        }
        return false
    }
}
