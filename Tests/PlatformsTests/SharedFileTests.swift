import Channels
import Foundation
import Platforms
import Provisioning
import Testing

/// Families and tools: what a board takes from them, and what it says itself.
@Suite struct SharedFileTests {
    private let folder: TemporaryFolder

    private static let family = """
        name = "chip"
        description = "a family of chips"
        source = "the reference manual"
        tool = "mine"
        [identify]
        address = 0x100
        length = 8
        word-access = true
        [channel]
        kind = "uart"
        baud = 9600
        reset = "dtr"
        [credentials]
        types = ["cwt"]
        [timeouts]
        boot-ms = 9000
        """

    private static let tool = """
        name = "mine"
        description = "a tool of mine"
        source = "mine --help"
        [flash]
        method = "command"
        command = ["mine", "{chip}", "{image}"]
        erase-command = ["mine", "erase"]
        [identify]
        command = ["mine", "read", "{probe}", "{address}"]
        format = "probe-rs"
        [timeouts]
        boot-ms = 8000
        flash-ms = 7000
        """

    private static let board = """
        name = "board"
        description = "a board"
        board = "board"
        family = "chip"
        chip = "c1"

        """

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.family, to: "families/chip.toml")
        try folder.write(Self.tool, to: "tools/mine.toml")
    }

    private func platform(_ more: String = "", _ start: String = board) throws -> Platform {
        try folder.write(start + more, to: "board.toml")
        return try PlatformCatalogue(requested: [folder.path]).platform(named: "board")
    }

    private func failure(_ more: String = "", _ start: String = board) throws -> ProvisioningError {
        let error = #expect(throws: ProvisioningError.self) { try platform(more, start) }
        return try #require(error)
    }

    private func flash(_ platform: Platform) -> CommandFlasher.Commands? {
        guard case .command(let commands) = platform.flash else { return nil }
        return commands
    }

    @Test func aBoardHasWhatItsFamilyAndItsToolHave() throws {
        let platform = try platform()
        #expect(flash(platform)?.flash.arguments == ["mine", "{chip}", "{image}"])
        #expect(flash(platform)?.erase?.arguments == ["mine", "erase"])
        #expect(platform.probedID?.location?.length == 8)
        #expect(platform.probedID?.command?.format == .probeRS)
        #expect(platform.channel.baudRates == [9600])
        #expect(platform.credentials.types == [.cwt])
        // The family comes before its tool.
        #expect(platform.timeouts.boot == .seconds(9))
        #expect(platform.timeouts.flash == .seconds(7))
        #expect(platform.family?.source == "the reference manual")
        #expect(platform.family?.origin == "\(folder.path)/families/chip.toml")
        #expect(platform.tool?.name == "mine")
    }

    @Test func aBoardOverridesKeyByKey() throws {
        let platform = try platform(
            """
            [flash]
            command = ["mine", "--fast", "{image}"]
            [channel]
            baud = 115200
            [timeouts]
            boot-ms = 1
            """)
        #expect(flash(platform)?.flash.arguments == ["mine", "--fast", "{image}"])
        #expect(flash(platform)?.erase?.arguments == ["mine", "erase"])
        #expect(platform.channel.baudRates == [115_200])
        #expect(platform.channel.reset != nil)
        #expect(platform.timeouts.boot == .milliseconds(1))
        #expect(platform.timeouts.flash == .seconds(7))
    }

    /// Half of one answer and half of another would be none.
    @Test func whoAnswersAnewAnswersWhole() throws {
        let gdb = try platform("[flash]\nmethod = \"gdb\"")
        guard case .gdb(let loader) = gdb.flash else {
            Issue.record("\(gdb.flash)")
            return
        }
        #expect(loader.resetCommand == "reset")
        let words = try platform("[identify]\nwords = [0x200, 0x300]")
        #expect(words.probedID?.location == DeviceIDLocation(words: [0x200, 0x300]))
        #expect(words.probedID?.command != nil)
        let order = try platform("[identify]\norder = \"reversed\"")
        #expect(order.probedID?.location?.regions.map(\.address) == [0x100])
        #expect(order.probedID?.location?.order == .reversed)
        let firmware = try platform("[identify]\nfrom = \"firmware\"")
        #expect(firmware.identification == .firmware(length: nil))
    }

    /// A tool can read any memory, and of a board that does not say which it reads none.
    @Test func aToolAloneReadsNoID() throws {
        let start = """
            name = "board"
            description = "a board"
            board = "board"
            tool = "mine"
            chip = "c1"
            [channel]
            kind = "uart"

            """
        #expect(try platform("", start).identification == nil)
    }

    @Test func theNearestFolderWins() throws {
        try folder.write(Self.family.replacing("9600", with: "1200"), to: "near/families/chip.toml")
        try folder.write(Self.board, to: "board.toml")
        let catalogue = try PlatformCatalogue(requested: ["\(folder.path)/near", folder.path])
        #expect(try catalogue.platform(named: "board").channel.baudRates == [1200])
        #expect(try platform().channel.baudRates == [9600])
        // A board of one's own has the built-in ones.
        let own = """
            name = "board"
            description = "a board"
            board = "board"
            family = "nrf52"
            chip = "nRF52840_xxAA"
            """
        #expect(try platform("", own).family?.origin == "built in")
    }

    /// An error is where the value is, whoever took it over.
    @Test func errorsNameTheirFile() throws {
        try folder.write(
            Self.family.replacing("baud = 9600", with: "baud = 7"), to: "families/chip.toml")
        #expect(
            try failure().reason
                == "\(folder.path)/families/chip.toml:11: \"baud\" has 7, not 300 to 12000000 in "
                + "[channel]")
        #expect(try failure("[channel]\nbaud = 8").reason.hasPrefix("\(folder.path)/board.toml:7:"))
        try folder.write(Self.family + "\n[flsh]", to: "families/chip.toml")
        #expect(
            try failure().reason
                == "\(folder.path)/families/chip.toml:17: unknown key \"flsh\"")
        try folder.write(Self.family, to: "families/chip.toml")
        try folder.write(
            Self.tool.replacing("\"mine\", \"erase\"", with: "7"), to: "tools/mine.toml")
        #expect(try failure().reason.contains("tools/mine.toml:7:"))
    }

    private static let badFamilies = [
        ("name", "name = \"chip\"", "name = \"other\"", "the file's name is \"chip\""),
        ("source", "source = \"the reference manual\"", "", "missing \"source\""),
        ("lines", "the reference manual", "a\\nb", "not one line"),
        ("board", "tool = \"mine\"", "board = \"x\"", "unknown key \"board\""),
        ("match", "tool = \"mine\"", "match = {}", "unknown key \"match\""),
        ("family", "tool = \"mine\"", "family = \"nrf52\"", "unknown key \"family\""),
        ("table", "[identify]", "identify = 7\n[x]", "unknown key \"x\""),
        ("toml", "[identify]", "[identify", "not TOML"),
    ]

    @Test(arguments: badFamilies)
    func aBadFamilyIsRefused(_ what: (String, String, String, String)) throws {
        let bad = Self.family.replacing(what.1, with: what.2)
        #expect(bad != Self.family)
        try folder.write(bad, to: "families/chip.toml")
        let error = try failure()
        #expect(error.code == .platformInvalid)
        #expect(error.reason.contains("families/chip.toml"))
        #expect(error.reason.contains(what.3), "\(error.reason)")
        let alone = #expect(throws: ProvisioningError.self) {
            try PlatformFile(checking: "\(folder.path)/families/chip.toml", PlatformCatalogue())
        }
        #expect(alone?.reason == error.reason)
    }

    @Test func aHugeFamilyOrAPipeIsRefused() throws {
        try folder.write(
            Self.family + "\n#" + String(repeating: "x", count: 65_536), to: "families/chip.toml")
        #expect(try failure().reason.contains("65536"))
        try FileManager.default.removeItem(atPath: "\(folder.path)/families/chip.toml")
        #expect(mkfifo("\(folder.path)/families/chip.toml", 0o600) == 0)
        #expect(try failure().code == .platformInvalid)
    }

    @Test func aFileIsWhatItsFolderSays() throws {
        try folder.write(Self.board, to: "board.toml")
        let catalogue = try PlatformCatalogue()
        func kind(_ path: String) throws -> PlatformFile.Kind {
            try PlatformFile(checking: "\(folder.path)/\(path)", catalogue).kind
        }
        #expect(try kind("board.toml") == .platform)
        #expect(try kind("families/chip.toml") == .family)
        #expect(try kind("tools/mine.toml") == .tool)
        for path in ["families/none.toml", "board", ".toml"] {
            #expect(throws: ProvisioningError.self) { try kind(path) }
        }
    }
}
