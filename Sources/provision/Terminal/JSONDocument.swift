import Foundation

/// One JSON document with sorted keys, the same bytes for the same values.
enum JSONDocument {
    static func encode(_ value: some Encodable) throws -> Data {
        var data = try encoder().encode(value)
        data.append(UInt8(ascii: "\n"))
        return data
    }

    static func print(_ value: some Encodable) throws {
        Terminal.standardOutput.write(Array(try encode(value)))
    }

    fileprivate static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }
}

/// `JSONDocument.encode([name: elements])`, byte for byte, of more elements than memory holds.
struct JSONListing {
    private let terminal: Terminal
    private let encoder = JSONDocument.encoder()
    private let name: String
    private var isEmpty = true

    /// Levels of the document that an element stands in, two spaces each.
    private static let margin = Array("\n    ".utf8)

    init(_ name: String, to terminal: Terminal = .standardOutput) {
        self.name = name
        self.terminal = terminal
    }

    mutating func append(_ element: some Encodable) throws {
        var text = Array((isEmpty ? "{\n  \"\(name)\" : [" : ",").utf8)
        // Within strings a line feed is escaped: each one that is left begins a line.
        for line in try encoder.encode(element).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        {
            text += line.isEmpty ? Self.margin.prefix(1) : Self.margin[...]
            text += line
        }
        try terminal.writePart(text)
        isEmpty = false
    }

    /// The document is one only after this.
    func end() throws {
        guard !isEmpty else {
            return try terminal.writePart(Array(try JSONDocument.encode([name: [Int]()])))
        }
        try terminal.writePart(Array("\n  ]\n}\n".utf8))
    }
}
