import Foundation

/// One JSON document with sorted keys, the same bytes for the same values.
enum JSONDocument {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(value)
        data.append(UInt8(ascii: "\n"))
        return data
    }

    /// `value` as it stands in a document, between the places where the lines before and behind it end.
    ///
    /// - Parameter level: how many objects and arrays stand around it.
    static func part(_ value: some Encodable, level: Int) throws -> [UInt8] {
        let indentation = [UInt8](repeating: UInt8(ascii: " "), count: 2 * level)
        let lineFeed = UInt8(ascii: "\n")
        var text: [UInt8] = []
        // Strings have no line feed: it is escaped. What is empty has an empty line.
        for octet in try encode(value).dropLast() {
            if text.last == lineFeed, octet != lineFeed { text += indentation }
            text.append(octet)
        }
        return text
    }

    static func print(_ value: some Encodable) throws {
        Terminal.standardOutput.write(Array(try encode(value)))
    }
}

/// `JSONDocument.encode([name: elements])`, byte for byte, of more elements than memory holds.
struct JSONListing {
    private let output: PartBuffer
    private let name: String
    private var isEmpty = true

    init(_ name: String, to terminal: Terminal = .standardOutput) {
        self.name = name
        output = PartBuffer(terminal.writePart)
    }

    mutating func append(_ element: JSONValue) throws {
        let separator = isEmpty ? "{\n  \"\(name)\" : [\n    " : ",\n    "
        isEmpty = false
        try output.append { text in
            text += separator.utf8
            element.write(to: &text, .pretty, level: 2)
        }
    }

    /// The document is one only after this.
    func end() throws {
        let end = isEmpty ? try JSONDocument.encode([name: [Int]()]) : Data("\n  ]\n}\n".utf8)
        try output.append { $0 += end }
        try output.flush()
    }
}
