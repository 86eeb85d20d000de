import Channels
import Foundation
import Platforms
import Testing

/// The real tools say whether they take what the shipped platforms would run, without a board.
@Suite struct FlashToolTests {
    private static let root = URL(fileURLWithPath: ShippedPlatformsTests.folder)
        .deletingLastPathComponent()
    private static let python = root.appendingPathComponent(".build/judges-flash/bin/python").path
    private static let hasJudges = FileManager.default.isExecutableFile(atPath: python)
    private static let missing: Comment =
        "esptool and pyOCD are not installed: run Scripts/setup --test"
    private static let openOCD = "/usr/bin/openocd"
    private static let hasOpenOCD = FileManager.default.isExecutableFile(atPath: openOCD)

    private func run(_ program: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private func judge(_ arguments: String...) throws -> (Int32, String) {
        let script = Self.root.appendingPathComponent("Tests/Judges/flash_tools.py").path
        return try run(Self.python, [script] + arguments)
    }

    /// Every command of one of these programs that a platform has, each once.
    private static func commands(
        of program: String, image: String = #filePath, port: String = "/dev/ttyACM0"
    ) throws -> [[String]] {
        // Any file is an image that can be opened.
        let values: [CommandPlaceholder: String] = [
            .image: image, .port: port, .probe: "0123", .usb: "0d28:0204",
            .baud: "115200", .package: "/fw", .address: "0x10000060", .words: "2", .length: "8",
        ]
        var found: Set<[String]> = []
        for name in ShippedPlatformsTests.names {
            let platform = try PlatformCatalogue().platform(named: name)
            guard case .command(let commands) = platform.flash else { continue }
            let templates = [
                commands.flash, commands.erase, commands.reset, platform.probedID?.command?.command,
            ]
            for template in templates.compactMap(\.self) where template.arguments[0] == program {
                found.insert(
                    try template.filled(with: values.merging([.chip: platform.chip ?? ""]) { $1 }))
            }
        }
        return found.sorted { $0.joined() < $1.joined() }
    }

    @Test(.enabled(if: hasJudges, missing), arguments: ["esptool", "pyocd"])
    func takesItsCommandLines(_ program: String) throws {
        let commands = try Self.commands(of: program)
        #expect(commands.count >= 4)
        for command in commands {
            let script = Self.root.appendingPathComponent("Tests/Judges/flash_tools.py").path
            let (status, output) = try run(Self.python, [script, "parse"] + command)
            #expect(status == 0, "\(command): \(output)")
        }
        // It refuses what it does not know: the judge is awake.
        #expect(try judge("parse", program, "--no-such-option").0 != 0)
    }

    /// What a tool says when it has understood all of a command line, and nothing is attached.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let program: String
        let count: Int
        let words: String
        /// A command line that it does not understand.
        let mistake: [String]

        var path: String { "/usr/bin/\(program)" }
        var testDescription: String { program }
    }

    private static let refusals = [
        Refusal(
            program: "avrdude", count: 5, words: "cannot open port /nonexistent/port",
            mistake: ["-p", "m328p", "-c", "arduin", "-P", "/nonexistent/port"]),
        // It reads the image before it looks for a board: one that is attached stays as it is.
        Refusal(
            program: "dfu-util", count: 1, words: "Could not open file /nonexistent/image",
            mistake: ["--download", "/nonexistent/image", "--dfuse"]),
        Refusal(
            program: "st-flash", count: 3, words: "Couldn't find any ST-Link devices",
            mistake: ["--serial", "0123", "wipe"]),
    ]

    @Test(
        .enabled(
            if: refusals.allSatisfy { FileManager.default.isExecutableFile(atPath: $0.path) },
            "avrdude, dfu-util or st-flash is not installed: run Scripts/setup --test"),
        arguments: refusals)
    func understandsItsCommandLines(_ refusal: Refusal) throws {
        let commands = try Self.commands(
            of: refusal.program, image: "/nonexistent/image", port: "/nonexistent/port")
        #expect(commands.count >= refusal.count)
        for command in commands {
            // avrdude's programmer "wiring" goes on for ever where its port can't be opened.
            let (status, output) = try run(
                "/usr/bin/timeout", ["--signal", "KILL", "15", refusal.path] + command.dropFirst())
            #expect(status != 0)
            #expect(output.contains(refusal.words), "\(command): \(output)")
        }
        #expect(try !run(refusal.path, refusal.mistake).1.contains(refusal.words))
    }

    /// It looks a chip up when it has its port, so its list of chips is asked.
    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/avrdude"),
            "avrdude is not installed: run Scripts/setup --test"))
    func avrdudeHasTheChips() throws {
        let list = try run("/usr/bin/avrdude", ["-p", "?"]).1
        let known = Set(list.split(separator: "\n").compactMap { $0.split(separator: " ").first })
        #expect(known.count > 100)
        for command in try Self.commands(of: "avrdude") {
            let chip = try #require(command.firstIndex(of: "-p").map { command[$0 + 1] })
            #expect(known.contains(chip[...]), "\(chip)")
        }
    }

    /// Read back with the formats that the tool files name.
    @Test(.enabled(if: hasJudges, missing)) func printsWhatIsRead() throws {
        let words = try judge("pyocd-words", "0x10000060", "f376559913860388aabbccdd")
        #expect(words.0 == 0)
        let dump = try read(
            words.1, .pyOCD,
            place: DeviceIDLocation(words: [0x1000_0060, 0x1000_0064, 0x1000_0068]))
        #expect(dump == [0xF3, 0x76, 0x55, 0x99, 0x13, 0x86, 0x03, 0x88, 0xAA, 0xBB, 0xCC, 0xDD])
        for bits in ["48", "64"] {
            let mac = try judge("esptool-mac", "6055f9f72ea2", bits)
            #expect(mac.0 == 0, "\(mac.1)")
            #expect(
                try read(mac.1, .esptoolMAC, place: nil) == [0x60, 0x55, 0xF9, 0xF7, 0x2E, 0xA2])
        }
    }

    /// As the product reads it: by a command, here one that prints a file.
    private func read(
        _ text: String, _ format: DeviceIDFormat, place: DeviceIDLocation?
    ) throws -> [UInt8] {
        let folder = try TemporaryFolder()
        try folder.write(text, to: "output")
        let command = DeviceIDCommand(
            try CommandTemplate(["cat", "\(folder.path)/output"]), format, script: [])
        return try CommandIDReader(
            command, location: place, values: [:], timeout: .seconds(60),
            interruption: try Interruption()
        ).readDeviceID().bytes
    }

    /// It reads the chip's configuration, and ends before it looks for a probe.
    @Test(.enabled(if: hasOpenOCD, "there is no openocd"))
    func openOCDHasTheChips() throws {
        let commands = try Self.commands(of: "openocd")
        let configurations = Set(
            try commands.map { command in
                let last = try #require(command.lastIndex { $0.hasPrefix("target/") })
                return Array(command[1...last])
            })
        #expect(configurations.count >= 15)
        for configuration in configurations {
            let (status, output) = try run(Self.openOCD, configuration + ["-c", "shutdown"])
            #expect(status == 0, "\(configuration): \(output)")
        }
    }
}
