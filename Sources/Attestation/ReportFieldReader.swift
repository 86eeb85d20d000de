internal import COSE

/// `name=value` fields and lists of octets, as Ariel OS writes them. Strict: a value that was cut, or
/// that another thread's text broke, is none.
struct ReportFieldReader {
    enum Value {
        case text([UInt8])
        case list([UInt8])

        /// Nil unless it is a list.
        var octets: [UInt8]? {
            if case .list(let octets) = self { octets } else { nil }
        }
    }

    struct Fields {
        fileprivate var values: [(name: String, value: Value)] = []

        mutating func take(_ name: String) -> Value? { values.first { $0.name == name }?.value }
    }

    enum Radix: Int {
        case decimal = 10
        case hexadecimal = 16
    }

    private static let maximumFieldCount = 16
    private static let maximumNameLength = 32

    private var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) { rest = text }

    /// Index into the text, of what was not read yet.
    var position: Int { rest.startIndex }

    var isAtList: Bool { rest.first == UInt8(ascii: "[") }

    mutating func skip(_ count: Int) { rest = rest.dropFirst(count) }

    /// All fields up to what is none.
    mutating func fields() throws(EvidenceError) -> Fields {
        var fields = Fields()
        while fields.values.count < Self.maximumFieldCount {
            let start = rest
            skipSpaces()
            guard let name = takeName() else {
                rest = start
                break
            }
            guard fields.take(name) == nil else {
                throw .notation("the report line has two fields \(name)")
            }
            fields.values.append((name, isAtList ? .list(try list(.decimal)) : .text(takeWord())))
        }
        return fields
    }

    /// `[1, 2]`, `[a1, 08]`: decimal numbers of one octet, or two hexadecimal digits each.
    mutating func list(_ radix: Radix) throws(EvidenceError) -> [UInt8] {
        var octets: [UInt8] = []
        skip(1)
        skipSpaces()
        if take("]") { return octets }
        while true {
            let digits = rest.prefix {
                $0.hexadecimalValue.map { $0 < UInt8(radix.rawValue) } ?? false
            }
            let isWhole =
                switch radix {
                case .decimal:
                    (1...3).contains(digits.count)
                        && (digits.count == 1 || digits.first != UInt8(ascii: "0"))
                case .hexadecimal: digits.count == 2
                }
            guard isWhole,
                let octet = UInt8(String(decoding: digits, as: UTF8.self), radix: radix.rawValue)
            else {
                throw .notation("the report line has a list with what is no octet in it")
            }
            octets.append(octet)
            skip(digits.count)
            skipSpaces()
            if take("]") { return octets }
            guard take(",") else { throw .notation("the report line has a list without an end") }
            skipSpaces()
        }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: scalar) else { return false }
        skip(1)
        return true
    }

    private mutating func skipSpaces() { rest = rest.drop { Self.isSpace($0) } }

    /// Nil, and nothing taken, if there is no `name=`.
    private mutating func takeName() -> String? {
        let name = rest.prefix {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
        }
        guard (1...Self.maximumNameLength).contains(name.count),
            rest.dropFirst(name.count).first == UInt8(ascii: "=")
        else { return nil }
        skip(name.count + 1)
        return String(decoding: name, as: UTF8.self)
    }

    private mutating func takeWord() -> [UInt8] {
        let word = Array(rest.prefix { !Self.isSpace($0) })
        skip(word.count)
        return word
    }

    private static func isSpace(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t")
    }
}
