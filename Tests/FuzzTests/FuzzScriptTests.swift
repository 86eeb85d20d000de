import Foundation
import Testing

/// `Scripts/fuzz` with another program in place of the fuzzer.
@Suite struct FuzzScriptTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Scripts/fuzz").standardized

    /// What `Scripts/fuzz` ends with, and what is in the corpus of the decoder `cbor` then.
    private func run(
        _ arguments: String..., fuzzer: String
    ) throws -> (status: Int32, corpus: [String: String]) {
        let files = FileManager.default
        let root = files.temporaryDirectory.appending(path: "fuzz-\(UUID().uuidString.prefix(8))")
        defer { try? files.removeItem(at: root) }
        let corpus = root.appending(path: "Tests/Fuzz/Corpus/cbor")
        let program = root.appending(path: ".build-fuzz/debug/provision-fuzz")
        let script = root.appending(path: "Scripts/fuzz")
        for folder in [
            corpus, program.deletingLastPathComponent(), script.deletingLastPathComponent(),
        ] {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try files.copyItem(at: Self.script, to: script)
        try Data("#!/bin/sh\n\(fuzzer)\n".utf8).write(to: program)
        try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program.path)
        for name in ["first", "second"] {
            try Data(name.utf8).write(to: corpus.appending(path: name))
        }
        let process = Process()
        process.executableURL = script
        process.arguments = ["--skip-build"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        var kept: [String: String] = [:]
        for name in try files.contentsOfDirectory(atPath: corpus.path) {
            kept[name] = try String(contentsOf: corpus.appending(path: name), encoding: .utf8)
        }
        return (process.terminationStatus, kept)
    }

    private static let whole = ["first": "first", "second": "second"]
    /// The folder that a merge writes to: the argument behind -merge=1.
    private static let merged = #"while [ "$1" != -merge=1 ]; do shift; done; cd "$2""#

    @Test(arguments: [
        "exit 72", "\(merged); printf third > 1234567890123456789012345678901234567890; exit 72",
        // It says that all is well, and has kept nothing.
        "exit 0",
    ])
    func aMergeThatFailsTakesNothing(_ fuzzer: String) throws {
        let (status, corpus) = try run("cbor", "--minimize", fuzzer: fuzzer)
        #expect(status != 0)
        #expect(corpus == Self.whole)
    }

    /// libFuzzer names what it keeps by its SHA-1.
    @Test func aMergeReplacesTheCorpus() throws {
        let (status, corpus) = try run(
            "cbor", "--minimize",
            fuzzer: """
                \(Self.merged)
                printf first > $(printf first | sha1sum | cut -d ' ' -f 1)
                printf third > 1234567890123456789012345678901234567890
                """)
        #expect(status == 0)
        #expect(corpus == ["first": "first", "reached-12345678": "third"])
    }

    @Test func aFuzzerThatNamesNoDecodersIsAFailure() throws {
        #expect(try run("--quick", fuzzer: "exit 1").status != 0)
    }

    @Test func aFindingIsAFailure() throws {
        #expect(try run("cbor", "--quick", fuzzer: "exit 77").status != 0)
        #expect(try run("cbor", "--quick", fuzzer: "exit 0").status == 0)
    }
}
