import Channels
import Foundation
import Testing

@testable import Platforms

/// The files of `platforms/`.
@Suite struct ShippedPlatformsTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("platforms").path

    static let names = names(in: folder)

    static func names(in folder: String) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".toml") }.map { $0.replacing(".toml", with: "") }
            .sorted()
    }

    @Test func everyFileIsEmbedded() throws {
        let entries = try PlatformCatalogue().entries()
        #expect(!Self.names.isEmpty)
        #expect(entries.map(\.name) == Self.names)
    }

    /// As it is in the folder, and good by itself.
    @Test(arguments: ["families", "tools"]) func everySharedFileIsEmbedded(_ kind: String) throws {
        let catalogue = try PlatformCatalogue()
        let shipped = Self.names(in: "\(Self.folder)/\(kind)")
        #expect(shipped.count > 10)
        let references = PlatformReferences()
        #expect(references.names(of: kind == "tools" ? .tool : .family) == shipped)
        for name in shipped {
            let path = "\(Self.folder)/\(kind)/\(name).toml"
            #expect(
                BuiltInPlatforms.bytes(of: "\(kind)/\(name)")
                    == Array(try Data(contentsOf: URL(fileURLWithPath: path))))
            #expect(try PlatformFile(checking: path, catalogue).name == name)
        }
    }

    /// Whoever looks for a family or a tool finds a board that shows it.
    @Test func everySharedFileHasABoard() throws {
        let platforms = try Self.names.map { try PlatformCatalogue().platform(named: $0) }
        #expect(
            Set(platforms.compactMap { $0.family?.name }).sorted()
                == Self.names(in: "\(Self.folder)/families"))
        #expect(
            Set(platforms.compactMap { $0.tool?.name }).sorted()
                == Self.names(in: "\(Self.folder)/tools"))
    }

    @Test func theRulesAreEmbedded() throws {
        let rules = try String(contentsOfFile: "\(Self.folder)/70-provision.rules", encoding: .utf8)
        #expect(UdevRules.builtIn == rules)
        let lines = rules.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(!lines.isEmpty)
        #expect(
            lines.allSatisfy { $0.hasPrefix("SUBSYSTEM==") && $0.hasSuffix("TAG+=\"uaccess\"") })
    }

    @Test(arguments: names) func loadsAsItIsInTheFolder(_ name: String) throws {
        let builtIn = try PlatformCatalogue().platform(named: name)
        let path = "\(Self.folder)/\(name).toml"
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(try Platform(parsing: bytes, name: name, file: "built in") == builtIn)
    }

    @Test func realAndEmulatedBoardShareTheirBuild() throws {
        let catalogue = try PlatformCatalogue()
        let emulated = try #require(catalogue.platform(named: "microbit-qemu").build)
        let real = try #require(catalogue.platform(named: "microbit").build)
        #expect(emulated == real)
        let command = try emulated.command(package: "/my fw")
        #expect(command.directory == "/my fw")
        #expect(
            command.arguments == [
                "swift", "build", "-c", "release", "--triple", "armv6m-none-none-eabi",
                "--toolset", "boards/microbit/toolset.json",
                "--scratch-path", "/my fw/.build/provision-microbit", "--product", "Firmware",
            ])
        #expect(
            try emulated.imagePath(package: "/my fw")
                == "/my fw/.build/provision-microbit/armv6m-none-none-eabi/release/Firmware")
    }

    @Test func mps2KeepsCodeAndRecords() throws {
        let platform = try PlatformCatalogue().platform(named: "mps2-an386-qemu")
        guard case .qemu(let machine) = platform.emulation else {
            Issue.record("no QEMU machine")
            return
        }
        #expect(
            machine.persistedRegions == [
                AddressRange(address: 0, length: 0x80000),
                AddressRange(address: 0x2100_0000, length: 0x10000),
            ])
        #expect(machine.factoryPage == 0x2100_2000)
        #expect(machine.seedPage == AddressRange(address: 0x2100_1000, length: 1024))
        #expect(platform.probedID?.location?.regions.first?.address == 0x2100_200C)
        let flasher = try #require(platform.flasherConfiguration(endpoint: .unix(path: "/x")))
        #expect(flasher.resetCommand == "system_reset")
        #expect(flasher.eraseRegions == [AddressRange(address: 0x2100_8000, length: 0x4000)])
    }

    @Test func microbitIsFlashedByProbeRS() throws {
        let platform = try PlatformCatalogue().platform(named: "microbit")
        guard case .command(let command) = platform.flash else {
            Issue.record("not flashed by a command")
            return
        }
        #expect(
            try command.flash.filled(
                with: [
                    .image: "/fw/a {image}.elf", .chip: try #require(platform.chip),
                    .usb: "0d28:0204", .probe: "9900a",
                ]) == [
                    "probe-rs", "download", "--chip", "nRF51822_xxAA", "--probe",
                    "0d28:0204:9900a", "--verify", "/fw/a {image}.elf",
                ])
        // With two boards attached, no command may choose by itself.
        for template in [command.flash, command.erase, command.reset] {
            #expect(template?.placeholders.contains(.probe) == true)
        }
        #expect(platform.probedID?.location?.width == .word)
        #expect(platform.emulation == nil)
    }
}
