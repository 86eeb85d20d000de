import Foundation
import Platforms
import Provisioning
import Testing

@Suite struct PackageSettingsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func settings(_ text: String) throws -> PackageSettings {
        try folder.write(text, to: "provision.toml")
        return try PackageSettings.read(package: folder.path)
    }

    @Test func aPackageWithoutOneSetsNothing() throws {
        let settings = try PackageSettings.read(package: folder.path)
        #expect(settings.origin == nil && settings.platform == nil && settings.timeouts.isEmpty)
        // A mistyped folder would drop all that its own file says.
        let error = #expect(throws: ProvisioningError.self) {
            try PackageSettings.read(package: "\(folder.path)/missing")
        }
        #expect(error?.code == .usage && error?.reason.contains("missing") == true)
    }

    @Test func allKeys() throws {
        let settings = try settings(
            """
            platform = "nrf52840dk"
            platforms = ["boards", "/opt/boards"]
            firmware = "build/zephyr/zephyr.elf"
            channel = "rtt"
            baud = [115200, 57600]
            credentials = ["cwt", "trust-anchors"]
            validity-days = 30
            key-id = 7
            [timeouts]
            boot-ms = 1500
            """)
        #expect(settings.platform == "nrf52840dk")
        #expect(settings.platformFolders == ["\(folder.path)/boards", "/opt/boards"])
        #expect(settings.firmware == "\(folder.path)/build/zephyr/zephyr.elf")
        #expect(settings.channel == .rtt)
        #expect(settings.baudRates == [115_200, 57_600])
        #expect(settings.credentials == [.cwt, .trustAnchors])
        #expect(settings.validityDays == 30)
        #expect(settings.keyID == 7)
        #expect(settings.timeouts == [.boot: .milliseconds(1500)])
        #expect(settings.origin == "\(folder.path)/provision.toml")
    }

    private static let bad = [
        ("platfrom = \"native\"", ":1: unknown key \"platfrom\""),
        ("platform = 7", ":1: \"platform\" is an integer, not a string"),
        ("platform = \"../native\"", "is \"../native\", not [a-z0-9-]+"),
        ("\nchannel = \"can\"", ":2: \"channel\" is \"can\", not one of"),
        ("baud = 1", "\"baud\" has 1, not 300 to 12000000"),
        ("credentials = []", "\"credentials\" is empty"),
        ("credentials = [\"psk\"]", "not one of \"x509\", \"cwt\", \"trust-anchors\""),
        ("validity-days = 0", "not 1 to 36500"), ("key-id = 0", "not 1 to 4294967295"),
        ("firmware = \"\"", "not one line"), ("timeouts = 3", "not a table"),
        ("[timeouts]\nboot = 3", "unknown key \"boot\" in [timeouts]"),
        ("platforms = [\(String(repeating: "\"x\", ", count: 17))]", "at most 16 folders"),
        ("[flash]\ncommand = [\"rm\"]", "unknown key \"flash\""), ("x = [", "not TOML"),
        ("# \u{0}", "NUL"), ("#" + String(repeating: "x", count: 65_536), "65536"),
    ]

    @Test(arguments: bad) func refuses(_ what: (String, String)) throws {
        let error = #expect(throws: ProvisioningError.self) { try settings(what.0) }
        #expect(error?.code == .settingsInvalid)
        #expect(error?.reason.hasPrefix("\(folder.path)/provision.toml") == true)
        #expect(error?.reason.contains(what.1) == true, "\(error?.reason ?? "")")
        #expect(error?.hint?.isEmpty == false)
    }

    /// A pipe that nobody writes to holds nobody up.
    @Test func refusesWhatIsNoFile() throws {
        #expect(mkfifo("\(folder.path)/provision.toml", 0o600) == 0)
        #expect(try PackageSettings.read(package: folder.path).platform == nil)
        let other = try TemporaryFolder()
        try other.write("", to: "provision.toml/x")
        let error = #expect(throws: ProvisioningError.self) {
            try PackageSettings.read(package: other.path)
        }
        #expect(error?.code == .settingsInvalid)
        #expect(error?.reason == "\(other.path)/provision.toml is a folder, not a file")
        #expect(error?.hint != nil)
        let third = try TemporaryFolder()
        #expect(symlink("provision.toml", "\(third.path)/provision.toml") == 0)
        let loop = #expect(throws: ProvisioningError.self) {
            try PackageSettings.read(package: third.path)
        }
        #expect(loop?.hint?.contains("leads to itself") == true)
    }
}
