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
