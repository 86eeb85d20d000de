import Attestation
import Channels
import Foundation
import Testing

@testable import Platforms

/// `PlatformFile.md` names every key in its table and no other, and its examples are files that load.
@Suite struct PlatformFilePageTests {
    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources")

    private static func lines() throws -> [Substring] {
        let page = sources.appendingPathComponent(
            "ProvisioningTesting/Documentation.docc/PlatformFile.md")
        return try String(contentsOf: page, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// One row: `` | `key` | type | default | what | ``
    struct Row {
        let key: String
        let standard: String
        let text: String
    }

    /// The rows below each heading that has a table of keys.
    private static func rows() throws -> [String: [Row]] {
        var rows: [String: [Row]] = [:]
        var heading = ""
        for line in try lines() {
            if line.hasPrefix("#") {
                heading = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
            } else if line == "| key | type | default | what |" {
                #expect(rows.updateValue([], forKey: heading) == nil, "two tables: \(heading)")
            } else if line.hasPrefix("|"), line != "|---|---|---|---|" {
                let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                    .dropFirst().dropLast().map { $0.trimmingCharacters(in: .whitespaces) }
                try #require(cells.count == 4 && !cells.contains(""), "\(line)")
                let isKey = cells[0].hasPrefix("`") && cells[0].hasSuffix("`")
                try #require(isKey && rows[heading] != nil, "\(line)")
                let key = String(cells[0].dropFirst().dropLast())
                rows[heading]?.append(Row(key: key, standard: cells[2], text: String(line)))
            }
        }
        return rows
    }

    struct KeyTable: CustomTestStringConvertible {
        let heading: String
        let type: String
        let keys: [String]

        init<Key: PlatformKey>(_ heading: String, _ type: Key.Type) {
            self.heading = heading
            self.type = "\(type)"
            keys = Key.allCases.map(\.rawValue)
        }

        var testDescription: String { heading }
    }

    static let tables = [
        KeyTable("The root", RootKey.self),
        KeyTable("`[match]`", MatchKey.self),
        KeyTable("A device in `usb` of `[match]`", USBMatchKey.self),
        KeyTable("`[build]`", BuildKey.self),
        KeyTable("`[flash]`", FlashKey.self),
        KeyTable("A region", RegionKey.self),
        KeyTable("`[identify]`", IdentifyKey.self),
        KeyTable("`[channel]`", ChannelKey.self),
        KeyTable("`[channel.rtt]`", RTTKey.self),
        KeyTable("`[channel.usb]`", USBKey.self),
        KeyTable("`[channel.udp]`", UDPKey.self),
        KeyTable("`[report]`", ReportKey.self),
        KeyTable("`[probe]`", ProbeKey.self),
        KeyTable("`[emulator]`", EmulatorKey.self),
        KeyTable("`[credentials]`", CredentialsKey.self),
        KeyTable("`[timeouts]`", TimeoutsKey.self),
        KeyTable("`[adapter]`", AdapterKey.self),
        KeyTable("`families/NAME.toml`", FamilyKey.self),
        KeyTable("`tools/NAME.toml`", ToolKey.self),
        KeyTable("`provision.toml`", SettingsKey.self),
    ]

    @Test(arguments: tables) func everyKeyHasARowAndEveryRowAKey(_ table: KeyTable) throws {
        let rows = try #require(Self.rows()[table.heading])
        #expect(rows.map(\.key).sorted() == table.keys.sorted())
    }

    /// No table of the code is missing here, nor one of the page.
    @Test func everyTableIsChecked() throws {
        var types: [String] = []
        let folder = Self.sources.appendingPathComponent("Platforms/File")
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        for file in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            types += text.matches(of: /(?:enum|struct) (\w+): (?:String, )?PlatformKey\b/).map {
                String($0.output.1)
            }
        }
        #expect(types.sorted() == Self.tables.map(\.type).sorted())
        #expect(try Self.rows().keys.sorted() == Self.tables.map(\.heading).sorted())
    }

    @Test(arguments: Timeout.allCases) func aTimeoutsDefaultIsTheCodes(_ timeout: Timeout) throws {
        let rows = try #require(Self.rows()["`[timeouts]`"])
        let row = try #require(rows.first { $0.key == timeout.key })
        let standard = timeout.standard.map { "\(Int($0 / .milliseconds(1)))" } ?? "as `boot-ms`"
        #expect(row.standard.prefix { $0 != "," } == standard)
    }

    private static func words<Choice>(_ type: Choice.Type) -> [String]
    where Choice: RawRepresentable<String> & CaseIterable { type.allCases.map(\.rawValue) }

    static let choices = [
        ("`[identify]`", "order", words(DeviceIDLocation.Order.self)),
        ("`[identify]`", "format", words(DeviceIDFormat.self)),
        ("`[channel]`", "kind", words(Platform.ChannelSettings.Kind.self)),
        ("`[channel]`", "flow-control", words(FlowControl.self)),
        ("`[channel]`", "reset", ModemSequence.names),
        ("`[report]`", "formats", words(ReportFormat.self)),
        ("`[report]`", "from", words(Platform.Report.Source.self)),
        ("`provision.toml`", "channel", words(Platform.ChannelSettings.Kind.self)),
    ]

    /// What stands in quotation marks in the row of a key is what it may be.
    @Test(arguments: choices)
    func everyChoiceIsNamed(_ heading: String, _ key: String, _ choices: [String]) throws {
        let row = try #require(Self.rows()[heading]?.first { $0.key == key })
        let named = row.text.matches(of: /"([a-z0-9-]+)"/).map { String($0.output.1) }
        #expect(Set(named).sorted() == choices.sorted())
    }

    /// Blocks of TOML, each by the path that its first line says.
    private static func examples() throws -> [String: String] {
        var examples: [String: String] = [:]
        var block: [Substring]?
        for line in try lines() {
            if line == "```toml" {
                block = []
            } else if line == "```", let lines = block {
                let first = try #require(lines.first)
                try #require(first.hasPrefix("# ") && first.hasSuffix(".toml"), "\(first)")
                let path = String(first.dropFirst(2))
                #expect(examples.updateValue(lines.joined(separator: "\n"), forKey: path) == nil)
                block = nil
            } else {
                block?.append(line)
            }
        }
        try #require(block == nil)
        return examples
    }

    @Test func everyExampleLoads() throws {
        let examples = try Self.examples()
        let folder = try TemporaryFolder()
        for (path, text) in examples { try folder.write(text, to: path) }
        let catalogue = try PlatformCatalogue()
        var kinds: [PlatformFile.Kind: Int] = [:]
        for path in examples.keys where path != PackageSettings.fileName {
            let file = try PlatformFile(checking: "\(folder.path)/\(path)", catalogue)
            kinds[file.kind, default: 0] += 1
        }
        #expect(kinds == [.platform: 5, .family: 1, .tool: 1])
        let settings = try PackageSettings.read(package: folder.path)
        #expect(settings.platform.map { examples["\($0).toml"] != nil } == true)
    }

    /// Whoever looks for the page finds it.
    @Test(arguments: [
        "Sources/ProvisioningTesting/Documentation.docc/ProvisioningTesting.md",
        "Sources/ProvisioningTesting/Documentation.docc/NewBoard.md",
        "Templates/platform/file/README.md", "README.md",
    ])
    func thePageIsLinked(_ path: String) throws {
        let file = Self.sources.deletingLastPathComponent().appendingPathComponent(path)
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(
            text.contains("<doc:PlatformFile>")
                || text.contains("Documentation.docc/PlatformFile.md"))
    }
}
