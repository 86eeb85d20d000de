import Foundation
import Testing

/// The commands of the README files beside the adapters and platform files to copy, as they stand there.
@Suite struct TemplateReadmeTests {
    /// The indented lines of a README file.
    private static func commands(in folder: URL) throws -> [String] {
        try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
            .split(separator: "\n").filter { $0.hasPrefix("    ") }
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func run(
        _ commands: [String], in folder: URL, _ provision: Executable, _ variables: String...
    ) throws {
        let tools = Executable.url.deletingLastPathComponent().path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for command in commands {
            let result = try provision.run(
                URL(filePath: "/usr/bin/env"),
                ["PATH=\(tools):\(path)"] + variables + ["sh", "-euc", command],
                in: folder, within: 900)
            #expect(result.status == 0, "\(command):\n\(result.text)\(result.standardError)")
        }
    }

    @Test(arguments: AdapterTemplate.allCases)
    func everyCommandOfAnAdapterWorks(_ template: AdapterTemplate) throws {
        let image = try Firmware.native()
        // The one in Swift is built once for all tests.
        _ = try template.program()
        let folder = AdapterTemplate.folder.appending(path: template.rawValue)
        let commands = try Self.commands(in: folder)
        #expect(commands.count == (template == .swift ? 4 : 2))
        try Executable.withHome { provision in
            let board = try NativeBoardFolder(in: provision.home)
            defer { board.stop() }
            try run(commands, in: folder, provision, "FIRMWARE=\(image)", "BOARD=\(board.path)")
            #expect(board.flashCount == 1)
            #expect(try provision.keys()["active"]?.count == 1)
        }
    }

    @Test func everyCommandOfAPlatformFileWorks() throws {
        let folder = AdapterTemplate.folder.appending(path: "file")
        let commands = try Self.commands(in: folder)
        #expect(commands.count == 1)
        try Executable.withHome { try run(commands, in: folder, $0) }
    }
}
