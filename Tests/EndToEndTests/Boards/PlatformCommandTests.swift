import Channels
import Foundation
import Platforms
import Provisioning
import Testing

@testable import provision

/// `provision platforms`, and what a package sets in its `provision.toml`.
@Suite struct PlatformCommandTests {
    private static let platforms = Executable.packageRoot.appending(path: "platforms")

    @Test func listsShowsAndValidates() throws {
        try Executable.withHome { provision in
            let list = try provision("platforms", "list", "--json").json()
            let rows = try #require(list["platforms"] as? [[String: Any]])
            #expect(rows.count >= 55)
            #expect(rows.allSatisfy { $0["error"] == nil })
            let names = try provision("platforms", "--names").text.split(separator: "\n")
            #expect(names.map(String.init) == rows.map { $0["name"] as? String })

            let text = try provision("platforms", "show", "nucleo-l073rz").text
            for part in ["STM32L073RZ", "0x1ff80050 and 0x1ff80064", "openocd", "source: "] {
                #expect(text.contains(part), "\(part)")
            }
            let short = try provision("platforms", "nucleo-l073rz").text
            #expect(short == text)
            let shown = try provision("platforms", "show", "esp32-devkitc", "--json").json()
            let family = try #require(shown["family"] as? [String: Any])
            #expect((family["source"] as? String)?.contains("esptool") == true)

            let folder = Self.platforms.path
            let good = try provision(
                "platforms", "validate", "\(folder)/microbit.toml", "\(folder)/families/nrf51.toml",
                "\(folder)/tools/probe-rs.toml")
            #expect(good.status == 0, "\(good.standardError)")
            #expect(good.text.contains("the family nrf51, valid"))
        }
    }

    @Test func validateNamesEveryBadFile() throws {
        try Executable.withHome { provision in
            let bad = provision.home.appending(path: "bad.toml")
            let worse = provision.home.appending(path: "worse.toml")
            try Data("name = \"bad\"\ndescription = \"x\"\nbord = \"x\"\n".utf8).write(to: bad)
            try Data("name = [".utf8).write(to: worse)
            let good = Self.platforms.appending(path: "native.toml").path
            let result = try provision("platforms", "validate", bad.path, good, worse.path)
            result.expectError("platform-invalid", status: 2, "bad.toml:3", "bord")
            #expect(result.standardError.contains("worse.toml"))
            #expect(result.text.contains("native.toml: the platform native, valid"))
            let json = try provision("platforms", "validate", bad.path, good, "--json")
            #expect(json.status == 2)
            let files = try #require(try json.json()["files"] as? [[String: Any]])
            #expect(files.map { $0["error"] == nil } == [false, true])
            try provision("platforms", "validate", "missing.toml")
                .expectError("platform-invalid", status: 2, "missing.toml")
        }
    }

    @Test func accountsForAMatch() throws {
        let tree = try USBTree()
        try tree.plug(
            at: "1-1", "0d28:0204", "BBC micro:bit CMSIS-DAP", serial: "9904aa", ports: "ttyACM0")
        try tree.plug(at: "1-2", "0483:374b", "STM32 STLink", serial: "066A", ports: "ttyACM1")
        let all = try PlatformCatalogue().entries().map { try $0.platform.get() }
        let account = MatchAccount(Desk(platforms: all, devices: tree.list()), isOfOne: false)
        try #require(account.devices.count == 2)
        #expect(account.devices[0].platform == "microbit-v2")
        #expect(account.devices[0].rules.map(\.why) == ["USB 0d28:0204, serial number 9904…"])
        // All Nucleos look alike.
        #expect(account.devices[1].platform == nil)
        #expect(account.devices[1].rules.count > 10)
        #expect(account.text.contains("has to be named with --platform"))

        let one = all.filter { $0.name == "microbit" }
        let why = MatchAccount(Desk(platforms: one, devices: tree.list()), isOfOne: true)
        #expect(
            why.devices[0].rules.first?.why == "its serial number 9904aa does not begin with 9900")
        #expect(why.devices[1].rules.first?.why == "USB 0483:374b is not 0d28:0204")
        #expect(why.text.contains("so it matches no platform"))
    }

    /// An ST-LINK is on many boards: none of them is taken silently, and the message stays short.
    @Test func aProbeThatManyBoardsHaveIsAmbiguous() throws {
        let tree = try USBTree()
        try tree.plug(at: "1-2", "0483:374b", "STM32 STLink", serial: "066A", ports: "ttyACM1")
        let all = try PlatformCatalogue().entries().map { try $0.platform.get() }
        let desk = Desk(platforms: all, devices: tree.list())
        let connection = try ConnectionOptions.parse([]).connection
        let error = #expect(throws: ProvisioningError.self) {
            try desk.choice(nil, connection, isFlashing: true)
        }
        #expect(error?.code == .boardAmbiguous)
        #expect(error?.reason.contains(" more") == true)
        #expect((error?.reason.count ?? 0) < 300)
        #expect(error?.hint?.contains("provision platforms match") == true)
        let named = try #require(all.first { $0.name == "nucleo-f401re" })
        let choice = try desk.choice(named, connection, isFlashing: true)
        #expect(choice.connection.serialPort == tree.path("ttyACM1"))
        #expect(choice.connection.probeSerial == "066A")
        #expect(choice.probeNumbers == "0483:374b")
    }
}

@Suite struct PackageDefaultsTests {
    /// A package folder with this `provision.toml`.
    private func plan(
        _ settings: String, _ environment: [String: String] = [:], _ arguments: String...
    ) throws -> String {
        try Executable.withHome { provision in
            let package = provision.home.appending(path: "package")
            try FileManager.default.createDirectory(
                at: package, withIntermediateDirectories: true)
            try Data(settings.utf8).write(to: package.appending(path: "provision.toml"))
            let program =
                ["/usr/bin/env"] + environment.map { "\($0)=\($1)" }.sorted()
                + [Executable.url.path, "run", "--dry-run"] + arguments
            let result = try provision.run(
                URL(filePath: program[0]), Array(program.dropFirst()), in: package)
            return result.text + result.standardError
        }
    }

    private static let settings = """
        platform = "native"
        firmware = "fw.elf"
        credentials = ["cwt"]
        """

    @Test func optionThenEnvironmentThenFileThenPlatform() throws {
        let file = try plan(Self.settings)
        #expect(file.contains("start fw.elf as a process") && file.contains("CWT from"))
        let environment = try plan(Self.settings, ["PROVISION_CREDENTIALS": "x509"])
        #expect(environment.contains("X.509 certificate from"))
        let option = try plan(
            Self.settings, ["PROVISION_CREDENTIALS": "x509"], "--credentials", "trust-anchors")
        #expect(option.contains("trust anchors from"))
        let standard = try plan("platform = \"native\"\nfirmware = \"fw.elf\"")
        #expect(standard.contains("CWT, X.509 certificate, trust anchors from"))
        // An empty variable is none.
        #expect(try plan(Self.settings, ["PROVISION_CREDENTIALS": ""]).contains("CWT from"))
    }

    /// The package's image is for the package's platform.
    @Test func anotherPlatformDoesNotGetItsImage() throws {
        let other = try plan(Self.settings, [:], "--platform", "nrf52840dk")
        #expect(other.contains("error[usage]") && other.contains("nrf52840dk names no image"))
        let given = try plan(
            Self.settings, ["PROVISION_PLATFORM": "nrf52840dk", "PROVISION_FIRMWARE": "other.hex"])
        #expect(given.contains("flash command on") && given.contains("other.hex"))
    }

    @Test func itsFoldersComeBeforeItsPlatforms() throws {
        let text = try plan("platform = \"native\"\nplatforms = \"boards\"\nfirmware = \"x\"")
        #expect(text.contains("error[usage]") && text.contains("boards is missing"))
    }

    /// Whoever asks for a platform asks the same catalogue.
    @Test func itsFoldersAreEveryCommands() throws {
        try Executable.withHome { provision in
            let package = provision.home.appending(path: "package")
            let boards = package.appending(path: "boards")
            try FileManager.default.createDirectory(at: boards, withIntermediateDirectories: true)
            try Data("platforms = \"boards\"".utf8)
                .write(to: package.appending(path: "provision.toml"))
            let text = """
                name = "ours"
                description = "a board of this package"
                board = "ours"
                [flash]
                method = "gdb"
                [channel]
                kind = "usb"
                usb = { vendor = 0x1209, product = 0x0002 }
                """
            try Data(text.utf8).write(to: boards.appending(path: "ours.toml"))
            func run(_ arguments: String...) throws -> String {
                let result = try provision.run(Executable.url, arguments, in: package)
                return result.text + result.standardError
            }
            #expect(try run("platforms", "--names").contains("\nours\n"))
            #expect(try run("platforms", "ours").contains("a board of this package"))
            #expect(try run("platforms", "match", "ours").contains("error[") == false)
            #expect(try run("boards", "--platform", "ours").contains("error[") == false)
            #expect(try run("check", "ours").contains("0 failed"))
            #expect(try run("doctor", "--udev-rules").contains("# The platform ours\n"))
            // It is known, and has no emulator.
            #expect(try run("emulate", "ours").contains("error[platform-unknown]") == false)
            #expect(
                try provision("platforms", "--names", "--package-path", package.path).text
                    .contains("\nours\n"))
            try Data("name = [".utf8).write(to: boards.appending(path: "torn.toml"))
            #expect(try run("doctor").contains("torn.toml"))
        }
    }

    @Test func badOnesAreNamed() throws {
        let file = try plan("platfrom = \"native\"")
        #expect(file.contains("error[settings-invalid]") && file.contains("provision.toml:1"))
        for (name, value) in [
            ("BAUD", "fast"), ("CHANNEL", "can"), ("CREDENTIALS", "psk"), ("VALIDITY_DAYS", "0"),
            ("KEY_ID", "0"), ("BAUD", "299"), ("TIMEOUT", "boot=20"),
        ] {
            let text = try plan(Self.settings, ["PROVISION_\(name)": value])
            #expect(text.contains("error[usage]: the variable PROVISION_\(name) is"), "\(text)")
        }
    }

    /// Without a word on the command line.
    @Test func aRunNeedsNoOption() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let package = provision.home.appending(path: "package")
            try FileManager.default.createDirectory(
                at: package, withIntermediateDirectories: true)
            try Data("platform = \"native\"\nfirmware = \"\(image)\"\nvalidity-days = 9\n".utf8)
                .write(to: package.appending(path: "provision.toml"))
            let result = try provision.run(Executable.url, ["run", "--json"], in: package)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["board"] as? String == "native")
        }
    }
}
