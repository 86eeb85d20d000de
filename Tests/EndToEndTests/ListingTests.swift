import Foundation
import Provisioning
import Testing

@testable import provision

/// What is written as it comes reads as if it had been made whole.
@Suite struct ListingTests {
    private struct Element: Encodable {
        let name: String
        let numbers: [Int]
        let nested: [String: String]?
    }

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
        let elements = (0..<count).map {
            Element(
                name: "line\nfeed, \"quotes\" and \u{e4}\u{2028}", numbers: Array(0..<$0 % 3),
                nested: $0.isMultiple(of: 2) ? ["a": "{", "b": "]\r\n"] : nil)
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
        #expect(throws: ProvisioningError.self) { try listing.append(1) }
    }
}
