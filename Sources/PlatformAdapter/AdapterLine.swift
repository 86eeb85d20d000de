import Foundation

/// One line that is to be sent: an object of JSON whose keys keep their order, without white space. A
/// shell can take it apart.
public struct AdapterLine: Sendable, Hashable {
    public enum Value: Sendable, Hashable {
        case flag(Bool)
        case integer(Int)
        case integers([Int])
        case text(String)
        case texts([String])
        case object([Field])
    }

    public struct Field: Sendable, Hashable {
        public let key: String
        public let value: Value

        public init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    public let fields: [Field]

    public init(_ fields: [Field]) { self.fields = fields }

    /// A request: the ID first, then its name.
    public init(id: Int, _ request: String, _ fields: [Field] = []) {
        self.fields = [Field("id", .integer(id)), Field("do", .text(request))] + fields
    }

    /// UTF-8, with its end.
    public var bytes: [UInt8] { Array(Self.text(fields).utf8) + [UInt8(ascii: "\n")] }

    private static func text(_ fields: [Field]) -> String {
        "{" + fields.map { quoted($0.key) + ":" + text($0.value) }.joined(separator: ",") + "}"
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .flag(let flag): flag ? "true" : "false"
        case .integer(let integer): String(integer)
        case .integers(let integers):
            "[" + integers.map(String.init).joined(separator: ",") + "]"
        case .text(let text): quoted(text)
        case .texts(let texts): "[" + texts.map(quoted).joined(separator: ",") + "]"
        case .object(let fields): text(fields)
        }
    }

    /// The only escapes are `\"`, `\\` and `\u00XX` for control characters, RFC 8259 §7.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                guard scalar.value < 0x20 || scalar.value == 0x7F else {
                    result.unicodeScalars.append(scalar)
                    continue
                }
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }
}

/// Bytes to lines. One that is too long is reported once, and skipped up to its end.
public struct AdapterLineSplitter: Sendable {
    public enum Part: Sendable, Hashable {
        /// Without its end.
        case line([UInt8])
        case oversized
    }

    private var line: [UInt8] = []
    private var isSkipping = false

    public init() {}

    public mutating func push(_ bytes: some Sequence<UInt8>) -> [Part] {
        var parts: [Part] = []
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let length = Self.lengthToEnd(of: rest)
            if !isSkipping {
                let piece = rest.prefix(length ?? rest.count)
                if line.count + piece.count < AdapterProtocol.maximumLineLength {
                    line += piece
                } else {
                    parts.append(.oversized)
                    line = []
                    isSkipping = true
                }
            }
            guard let length else { break }
            if !isSkipping { parts.append(.line(line)) }
            line = []
            isSkipping = false
            rest = rest.dropFirst(length + 1)
        }
        return parts
    }

    /// Bytes before the first line feed; nil: there is none.
    private static func lengthToEnd(of bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress,
                let end = memchr(start, Int32(UInt8(ascii: "\n")), buffer.count)
            else { return nil }
            return UnsafeRawPointer(end) - start
        }
    }
}
