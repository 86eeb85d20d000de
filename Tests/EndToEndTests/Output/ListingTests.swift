import COSE
import Foundation
import Provisioning
import Testing

@testable import provision

/// What is written as it comes reads as if it had been made whole.
@Suite struct ListingTests {
    /// What `body` writes.
    private func written(_ body: (Terminal) throws -> Void) throws -> Data {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        try body(Terminal(descriptor: handle.fileDescriptor))
        try handle.close()
        return try Data(contentsOf: file)
    }

    @Test(arguments: [1, 2, 50]) func aDocumentOfElementsIsTheSameBytes(count: Int) throws {
        let elements = (0..<count).map { number -> JSONValue in
            .object([
                "numbers": .array((0..<number % 3).map { .integer(Int64($0) - 1) }),
                "name": .string("line\nfeed, \"quotes\" and \u{e4}\u{2028}"),
                "nested": number.isMultiple(of: 2)
                    ? .object(["b": .string("]\r\n"), "a": .string("{"), "c": .object([:])]) : nil,
            ])
        }
        let streamed = try written { terminal in
            var listing = JSONListing("elements", to: terminal)
            for element in elements { try listing.append(element) }
            try listing.end()
        }
        #expect(streamed == (try JSONDocument.encode(["elements": elements])))
    }

    @Test func aDocumentWithoutElementsIsValid() throws {
        let streamed = try written { try JSONListing("none", to: $0).end() }
        #expect(streamed == (try JSONDocument.encode(["none": [Int]()])))
    }

    @Test func aLongTableIsATableUntilItsWidthsAreDecided() throws {
        var table = Table("NAME", "NUMBER")
        let streamed = try written { terminal in
            var long = LongTable("NAME", "NUMBER", to: terminal)
            for row in 0..<1000 {
                try long.append("row \(row)", "\(row * row)")
                table.append("row \(row)", "\(row * row)")
            }
            try long.append("a row that is longer than all before", "1")
            try long.append("row", "2")
            try long.end()
        }
        #expect(
            String(decoding: streamed, as: UTF8.self)
                == table.text + "a row that is longer than all before  1\nrow      2\n")
    }

    @Test func aFullDiskEndsTheListing() throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
        var listing = JSONListing("elements", to: Terminal(descriptor: handle.fileDescriptor))
        var count: Int64 = 0
        #expect(throws: ProvisioningError.self) {
            while count < 1_000_000 {
                try listing.append(.integer(count))
                count += 1
            }
        }
        #expect(count < 100_000)
    }

    /// Foundation's encoder is the judge.
    @Test func aLineIsWhatJSONEncoderWrites() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let ascii = String(String.UnicodeScalarView((0..<0x80).map { Unicode.Scalar(UInt8($0)) }))
        let value = JSONValue.object([
            "text": .string(ascii + "\u{80}\u{2028}\u{2029}\u{feff}e\u{301}\u{10ffff}"),
            "no": .bool(false), "yes": .bool(true), "nothing": nil, "b": .octets([0, 9, 0xa0]),
            "number": .integer(.min), "empty": .array([]), "date": .date(.init(seconds: 0)),
        ])
        var line: [UInt8] = []
        value.write(to: &line, .compact)
        #expect(line == Array(try encoder.encode(value)))
        #expect(try JSONSerialization.jsonObject(with: Data(line)) is [String: Any])
    }

    /// What was made before an error is shown all the same.
    @Test func anErrorLosesNothingOfWhatCameBefore() throws {
        let text = try written { terminal in
            var table = LongTable("NAME", to: terminal)
            for row in 0..<2000 { try table.append("\(row)") }
        }
        #expect(String(decoding: text, as: UTF8.self).split(separator: "\n").last == "1999")
    }

    @Test func trailingSpacesAreNoPartOfALine() {
        var table = Table("A", "B", "C")
        table.append("x", "", "")
        table.append("longer", "y", "z ")
        table.append("a\u{301}", "b", "")
        #expect(table.text == "A       B  C\nx\nlonger  y  z\na\u{301}       b\n")
    }
}
