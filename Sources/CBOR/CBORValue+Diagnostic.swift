extension CBORValue {
    /// The item in CBOR diagnostic notation, RFC 8949 §8, on one line: maps in the order of their pairs, byte
    /// strings as `h'…'`, text with JSON's escapes, and all that no terminal should see escaped.
    ///
    /// What is printed is the item, not its encoding: how long an integer's head was is lost.
    package var diagnosticNotation: String {
        switch self {
        case .unsigned(let value): "\(value)"
        // −1 − n does not fit any integer type where n is the greatest.
        case .negative(.max): "-18446744073709551616"
        case .negative(let value): "-\(value + 1)"
        case .bytes(let octets): "h'\(octets.hexadecimal)'"
        case .text(let text): "\"\(text.unicodeScalars.map(Self.escaped).joined())\""
        case .array(let items): "[\(items.map(\.diagnosticNotation).joined(separator: ", "))]"
        case .map(let map):
            "{\(map.pairs.map { "\($0.key.diagnosticNotation): \($0.value.diagnosticNotation)" }.joined(separator: ", "))}"
        case .tagged(let tag, let item): "\(tag)(\(item.diagnosticNotation))"
        case .simple(20): "false"
        case .simple(21): "true"
        case .simple(22): "null"
        case .simple(23): "undefined"
        case .simple(let value): "simple(\(value))"
        case .float(let value) where value.isNaN: "NaN"
        case .float(let value) where value.isInfinite: value < 0 ? "-Infinity" : "Infinity"
        case .float(let value): "\(value)"
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"", "\\": return "\\\(scalar)"
        case _ where scalar.isPrintable: return String(scalar)
        default:
            return Array(String(scalar).utf16).map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }
}
