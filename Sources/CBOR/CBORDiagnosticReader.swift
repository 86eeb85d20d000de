extension CBORValue {
    /// Reads CBOR diagnostic notation, RFC 8949 §8, as far as claims sets need it: integers in decimal,
    /// `h'…'`, text with `\"` and `\\` as its only escapes, arrays, maps, `true`, `false`, `null`.
    ///
    /// - Parameters:
    ///   - text: begins with the item; what follows it is left.
    ///   - depth: how many arrays and maps may be open at once.
    /// - Returns: the item, and how many octets of `text` it took.
    /// - Throws: `CBORDiagnosticError` for anything else, and for a map key that stands twice.
    package static func readDiagnostic(
        _ text: some Collection<UInt8>, depth: Int
    ) throws(CBORDiagnosticError) -> (value: CBORValue, length: Int) {
        var reader = CBORDiagnosticReader(text: Array(text))
        let value = try reader.value(depth)
        return (value, reader.index)
    }
}

/// Where diagnostic notation ends to be any, counted in octets from the beginning.
package struct CBORDiagnosticError: Error, Hashable, Sendable, CustomStringConvertible {
    package let offset: Int
    package let expected: String

    package init(offset: Int, expected: String) {
        self.offset = offset
        self.expected = expected
    }

    package var description: String { "expected \(expected) at octet \(offset)" }
}

/// Recursive, and bounded by the depth; the length of the text bounds everything else.
private struct CBORDiagnosticReader {
    let text: [UInt8]
    var index = 0

    private static let spaces = [UInt8](" \t\n\r".utf8)
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    init(text: [UInt8]) { self.text = text }

    private func expected(_ what: String) -> CBORDiagnosticError {
        CBORDiagnosticError(offset: index, expected: what)
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    /// RFC 8949 §8: JSON's white space, so also that of a file with lines.
    private mutating func skipSpaces() {
        while let next, Self.spaces.contains(next) { index += 1 }
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let end = index + word.utf8CodeUnitCount
        guard end <= text.count,
            text[index..<end].elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { return false }
        index = end
        return true
    }

    mutating func value(_ depth: Int) throws(CBORDiagnosticError) -> CBORValue {
        skipSpaces()
        guard let next else { throw expected("a data item") }
        switch next {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth > 0 else { throw expected("less nesting") }
            return next == UInt8(ascii: "{") ? try map(depth - 1) : try array(depth - 1)
        case Self.quote: return .text(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try integer()
        default: break
        }
        if take("h'") { return .bytes(try octets()) }
        if take("true") { return .simple(21) }
        if take("false") { return .simple(20) }
        if take("null") { return .simple(22) }
        throw expected("a data item")
    }

    /// Members up to `end`, with commas between them.
    private mutating func members(
        until end: StaticString, _ member: (inout Self) throws(CBORDiagnosticError) -> Void
    ) throws(CBORDiagnosticError) {
        index += 1
        skipSpaces()
        if take(end) { return }
        while true {
            try member(&self)
            skipSpaces()
            if take(end) { return }
            guard take(",") else { throw expected("a comma or \(end)") }
        }
    }

    private mutating func array(_ depth: Int) throws(CBORDiagnosticError) -> CBORValue {
        var values: [CBORValue] = []
        try members(until: "]") { (reader) throws(CBORDiagnosticError) in
            values.append(try reader.value(depth))
        }
        return .array(values)
    }

    private mutating func map(_ depth: Int) throws(CBORDiagnosticError) -> CBORValue {
        var map = CBORMap()
        try members(until: "}") { (reader) throws(CBORDiagnosticError) in
            let key = try reader.value(depth)
            guard map[key] == nil else { throw reader.expected("a key that is new") }
            reader.skipSpaces()
            guard reader.take(":") else { throw reader.expected("a colon") }
            map[key] = try reader.value(depth)
        }
        return .map(map)
    }

    private mutating func integer() throws(CBORDiagnosticError) -> CBORValue {
        let isNegative = take("-")
        let start = index
        while let digit = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            index += 1
        }
        let digits = text[start..<index]
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)),
            digits.count == 1 || digits.first != UInt8(ascii: "0"), !isNegative || number > 0
        else {
            throw expected("an integer of 64 bits")
        }
        // A float, a tag, another number base.
        if let next, ".(xbo_e".utf8.contains(next) { throw expected("the end of the integer") }
        return isNegative ? .negative(number - 1) : .unsigned(number)
    }

    private mutating func octets() throws(CBORDiagnosticError) -> [UInt8] {
        var octets: [UInt8] = []
        while !take("'") {
            guard index + 1 < text.count, let high = text[index].hexadecimalValue,
                let low = text[index + 1].hexadecimalValue
            else { throw expected("two hexadecimal digits or '") }
            octets.append(high << 4 | low)
            index += 2
        }
        return octets
    }

    private mutating func string() throws(CBORDiagnosticError) -> String {
        index += 1
        var octets: [UInt8] = []
        while let octet = next, octet != Self.quote {
            guard octet >= UInt8(ascii: " "), octet != 0x7f else {
                throw expected("a printable character")
            }
            if octet == Self.backslash {
                index += 1
                guard next == Self.quote || next == Self.backslash else {
                    throw expected("\\\" or \\\\")
                }
            }
            octets.append(text[index])
            index += 1
        }
        guard take("\"") else { throw expected("the end of the text") }
        guard let string = String(validating: octets, as: UTF8.self) else {
            throw expected("UTF-8 before the end of the text")
        }
        return string
    }
}
