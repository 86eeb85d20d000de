public import Foundation

extension FuzzTarget {
    /// A kept input.
    public struct Input: Sendable, CustomStringConvertible {
        /// `Corpus/cbor/appendix-a-001`
        public let description: String
        public let bytes: [UInt8]
    }

    /// `Tests/Fuzz`
    public static let inputFolder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()

    /// What reaches each part of the decoder, and what once broke it: `Tests/Fuzz/Corpus` and
    /// `Tests/Fuzz/Findings`.
    public func keptInputs() throws -> [Input] {
        try ["Corpus", "Findings"].flatMap { kind in
            let folder = Self.inputFolder.appending(path: "\(kind)/\(name)")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return try names.sorted().map { name in
                Input(
                    description: "\(kind)/\(self.name)/\(name)",
                    bytes: Array(try Data(contentsOf: folder.appending(path: name))))
            }
        }
    }
}
