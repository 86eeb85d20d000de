import COSE
import Registry

/// What a listing shows of one record: `write` gives the bytes of `JSONDocument`'s encoder, byte for
/// byte, in a tenth of its time. A listing of a million devices waits for little else.
enum JSONValue {
    case string(String)
    case integer(Int64)
    case bool(Bool)
    /// Lower-case hexadecimal.
    case octets([UInt8])
    /// RFC 3339 in UTC.
    case date(NumericDate)
    case array([JSONValue])
    case object([(name: String, value: JSONValue)])

    /// - Parameter members: those without a value are left out. Sorted by their names.
    static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(
            members.compactMap { name, value in value.map { (name, $0) } }
                .sorted { $0.name < $1.name })
    }
}

extension JSONValue {
    /// How a value is laid out.
    enum Layout {
        /// On one line.
        case compact
        /// A member or an element on each line.
        case pretty
    }

    /// Appends the value's text.
    ///
    /// - Parameter level: how many objects and arrays of a document stand around it.
    func write(to text: inout [UInt8], _ layout: Layout, level: Int = 0) {
        switch self {
        case .string(let string): Self.write(string, to: &text)
        case .integer(let integer): text += "\(integer)".utf8
        case .bool(let bool): text += (bool ? "true" : "false").utf8
        case .octets(let octets):
            text.append(UInt8(ascii: "\""))
            text.append(hexadecimal: octets)
            text.append(UInt8(ascii: "\""))
        case .date(let date): Self.write(date.utc, to: &text)
        case .array(let elements):
            Self.write(elements, "[", "]", to: &text, layout, level) { element, text in
                element.write(to: &text, layout, level: level + 1)
            }
        case .object(let members):
            Self.write(members, "{", "}", to: &text, layout, level) { member, text in
                Self.write(member.name, to: &text)
                text += (layout == .pretty ? " : " : ":").utf8
                member.value.write(to: &text, layout, level: level + 1)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], _ opening: Unicode.Scalar, _ closing: Unicode.Scalar,
        to text: inout [UInt8], _ layout: Layout, _ level: Int,
        _ write: (Element, inout [UInt8]) -> Void
    ) {
        text.append(UInt8(ascii: opening))
        // An empty one has an empty line, as Foundation writes it.
        if layout == .pretty { text.append(UInt8(ascii: "\n")) }
        for (index, element) in elements.enumerated() {
            if index > 0 { text += (layout == .pretty ? ",\n" : ",").utf8 }
            if layout == .pretty { indent(level + 1, &text) }
            write(element, &text)
        }
        if layout == .pretty {
            text.append(UInt8(ascii: "\n"))
            indent(level, &text)
        }
        text.append(UInt8(ascii: closing))
    }

    private static func indent(_ level: Int, _ text: inout [UInt8]) {
        for _ in 0..<level { text += "  ".utf8 }
    }

    private static func write(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { octets in
            // What needs no escape is copied as a whole.
            var rest = octets[...]
            while let index = rest.firstIndex(where: isEscaped) {
                text += UnsafeBufferPointer(rebasing: rest[..<index])
                escape(rest[index], &text)
                rest = rest[(index + 1)...]
            }
            text += UnsafeBufferPointer(rebasing: rest)
        }
        text.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ octet: UInt8) -> Bool {
        octet < 0x20 || octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\")
    }

    private static func escape(_ octet: UInt8, _ text: inout [UInt8]) {
        switch octet {
        case 0x08: text += "\\b".utf8
        case 0x09: text += "\\t".utf8
        case 0x0A: text += "\\n".utf8
        case 0x0C: text += "\\f".utf8
        case 0x0D: text += "\\r".utf8
        case ..<0x20: text += "\\u00\([octet].hexadecimal)".utf8
        default:
            text.append(UInt8(ascii: "\\"))
            text.append(octet)
        }
    }
}

/// For documents that hold more than such values.
extension JSONValue: Encodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var container = encoder.container(keyedBy: Name.self)
            for (name, value) in members {
                try container.encode(value, forKey: Name(stringValue: name))
            }
        case .array(let elements): try elements.encode(to: encoder)
        case .string(let string): try string.encode(to: encoder)
        case .integer(let integer): try integer.encode(to: encoder)
        case .bool(let bool): try bool.encode(to: encoder)
        case .octets(let octets): try octets.hexadecimal.encode(to: encoder)
        case .date(let date): try date.utc.encode(to: encoder)
        }
    }
}
