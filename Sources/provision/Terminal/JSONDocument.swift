import Foundation

/// One JSON document with sorted keys, the same bytes for the same values.
enum JSONDocument {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        var data = try encoder.encode(value)
        data.append(UInt8(ascii: "\n"))
        return data
    }

    static func print(_ value: some Encodable) throws {
        Terminal.standardOutput.write(Array(try encode(value)))
    }
}
