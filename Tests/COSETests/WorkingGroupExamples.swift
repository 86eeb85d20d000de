import CBOR
import COSE
import Foundation
import Testing

/// The entries of Vectors/cose-wg-examples.txt, which says what they are.
struct WorkingGroupExample: CustomTestStringConvertible, Sendable {
    let name: String
    /// What the working group says of the message.
    let passes: Bool
    /// "verified", or the text of the error.
    let expected: String
    let bytes: [UInt8]
    let externalData: [UInt8]
    /// The COSE_Key map; nil: nobody signed it.
    let signer: CBORValue?
    /// Why this library does not say what the working group says.
    let reason: String?
    var testDescription: String { name }

    var isCWT: Bool { name.hasPrefix("CWT/") }

    static let all: [WorkingGroupExample] = {
        let file = Bundle.module.resourceURL!.appending(path: "Vectors/cose-wg-examples.txt")
        let entries = try! Self.entries(String(contentsOf: file, encoding: .utf8))
        let keys = Dictionary(
            uniqueKeysWithValues: entries.compactMap { entry in
                entry["key"].map { ($0, coseKey(entry)) }
            })
        return entries.filter { $0["message"] != nil }.map { entry in
            WorkingGroupExample(entry, signer: entry["signer"].map { keys[$0]! })
        }
    }()

    private init(_ entry: [String: String], signer: CBORValue?) {
        name = entry["message"]!
        passes = ["pass": true, "fail": false][entry["verdict"]!]!
        expected = entry["expect"]!
        bytes = hex(entry["bytes"]!)
        externalData = hex(entry["external"] ?? "")
        reason = entry["why"]
        self.signer = signer
    }

    /// Paragraphs of `name: value`; a value goes on in the indented lines below it.
    private static func entries(_ text: String) -> [[String: String]] {
        text.components(separatedBy: "\n\n").map { paragraph in
            var entry: [String: String] = [:]
            var name = ""
            for line in paragraph.split(separator: "\n") where !line.hasPrefix("#") {
                if line.hasPrefix(" ") {
                    entry[name]! += line.trimmingCharacters(in: .whitespaces)
                } else {
                    let parts = line.split(
                        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    name = String(parts[0])
                    entry[name] = parts[1].trimmingCharacters(in: .whitespaces)
                }
            }
            return entry
        }
    }

    // RFC 9053 §7, table 18.
    private static let curves: [String: (type: Int, curve: Int)] = [
        "P-256": (2, 1), "P-384": (2, 2), "P-521": (2, 3), "Ed448": (1, 7),
    ]

    private static func coseKey(_ entry: [String: String]) -> CBORValue {
        let curve = curves[entry["curve"]!]!
        var map: CBORMap = [
            1: .int(curve.type), -1: .int(curve.curve), -2: .bytes(hex(entry["x"]!)),
        ]
        map[-3] = entry["y"].map { .bytes(hex($0)) }
        return .map(map)
    }
}
