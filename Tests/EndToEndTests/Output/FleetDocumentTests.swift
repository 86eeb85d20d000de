import Foundation
import Testing

@testable import provision

/// The report of several boards is put together of parts that their threads made.
@Suite struct FleetDocumentTests {
    @Test func theReportOfSeveralBoardsIsADocumentAsAnyOther() throws {
        try Executable.withHome { provision in
            // One has nowhere to be played.
            let folder = provision.home.appending(path: "emulated")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data().write(to: folder.appending(path: "native-2"))
            let result = try provision(
                "run", "--all", "--platform", "native", "--instances", "3", "--firmware",
                try Firmware.native(), "--json")
            let text = result.standardOutput
            let document = try JSONDecoder().decode(Tree.self, from: text)
            guard case .object(let members) = document, case .array(let boards)? = members["boards"]
            else {
                Issue.record("no boards: \(result.text)")
                return
            }
            #expect(boards.count == 3, "\(result.standardError)")
            #expect(result.errorCode == "emulator-failed", "\(result.standardError)")
            #expect(try JSONDocument.encode(document) == text)
        }
    }
}

/// Any JSON.
private enum Tree: Codable {
    case object([String: Tree])
    case array([Tree])
    case string(String)
    case bool(Bool)
    case number(Double)

    init(from decoder: any Decoder) throws {
        if let members = try? [String: Tree](from: decoder) {
            self = .object(members)
        } else if let elements = try? [Tree](from: decoder) {
            self = .array(elements)
        } else if let string = try? String(from: decoder) {
            self = .string(string)
        } else if let bool = try? Bool(from: decoder) {
            self = .bool(bool)
        } else {
            self = .number(try Double(from: decoder))
        }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members): try members.encode(to: encoder)
        case .array(let elements): try elements.encode(to: encoder)
        case .string(let string): try string.encode(to: encoder)
        case .bool(let bool): try bool.encode(to: encoder)
        case .number(let number): try number.encode(to: encoder)
        }
    }
}
