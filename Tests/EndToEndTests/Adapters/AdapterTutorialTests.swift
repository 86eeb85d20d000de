import Foundation
import PlatformAdapter
import Testing

/// The page for authors of adapters does what it says.
@Suite struct AdapterTutorialTests {
    private static let pages = Executable.packageRoot
        .appending(path: "Sources/ProvisioningTesting/Documentation.docc")

    /// The blocks between ```` ```sh ```` and ```` ``` ````, in their order.
    private static func blocks(of page: String, in language: String = "sh") throws -> [String] {
        let text = try String(contentsOf: pages.appending(path: page), encoding: .utf8)
        var blocks: [String] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside = line == "```\(language)"
                if isInside { blocks.append("") }
            } else if isInside {
                blocks[blocks.count - 1] += line + "\n"
            }
        }
        return blocks
    }

    @Test func everyStepOfTheTutorialWorks() throws {
        let blocks = try Self.blocks(of: "NewBoard.md")
        #expect(blocks.count == 5)
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let script = provision.home.appending(path: "tutorial")
            // What a step leaves running ends with the script.
            let start = "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n"
            let steps = blocks.enumerated().map { "echo step \($0 + 1)\n\($1)" }
            try Data((start + steps.joined()).utf8).write(to: script)
            let tools = Executable.url.deletingLastPathComponent().path
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            let leftovers = Leftovers(of: provision)
            let result = try provision.run(
                URL(filePath: "/usr/bin/env"),
                [
                    "PATH=\(tools):\(path)", "PROVISION=\(Executable.packageRoot.path)",
                    "FIRMWARE=\(image)", "bash", "-m", script.path,
                ], in: provision.home)
            #expect(result.status == 0, "\(result.text)\(result.standardError)")
            // Both checks of the adapter, of the board, and of what it said.
            let checks = result.text.split(separator: "\n").filter { $0.contains(" 0 failed") }
            #expect(checks.count == 4, "\(result.text)")
            #expect(result.text.contains("The teapot, on its serial port"))
            #expect(try provision.keys()["active"]?.count == 1)
            #expect(leftovers.processes() == [])
        }
    }

    /// What the page on tests shows stands in the template, whose tests run with its README.
    @Test func thePageOnTestsIsOfTheTemplate() throws {
        let blocks = try Self.blocks(of: "InTests.md", in: "swift")
        #expect(blocks.count == 2)
        let file = AdapterTemplate.folder.appending(
            path: "swift/Tests/AdapterTests/FolderBoardTests.swift")
        let text = try String(contentsOf: file, encoding: .utf8)
        for block in blocks { #expect(text.contains(block), "\(block)") }
    }

    /// The document's lists are those of the code.
    @Test func theProtocolsErrorsAreListed() throws {
        let text = try String(
            contentsOf: Self.pages.appending(path: "AdapterProtocol.md"), encoding: .utf8)
        let section = try #require(
            text.components(separatedBy: "\n## ").first { $0.hasPrefix("Errors") })
        var listed: [String: String] = [:]
        for row in section.split(separator: "\n") where row.hasPrefix("| `") {
            let words = row.split(separator: "`")
            listed[String(words[1])] = words.count > 3 ? String(words[words.count - 2]) : ""
        }
        var known: [String: String] = [:]
        for failure in AdapterFailure.allCases { known[failure.rawValue] = failure.code.rawValue }
        #expect(listed == known)
        for request in AdapterRequest.allCases {
            #expect(text.contains("| `\(request.rawValue)` |"))
        }
        #expect(text.contains("65,536") && AdapterProtocol.maximumLineLength == 65_536)
        #expect(text.contains("at most 16 levels") && AdapterProtocol.maximumDepth == 16)
        #expect(text.contains("at most 4096") && AdapterProtocol.maximumDataLength == 4096)
    }
}
