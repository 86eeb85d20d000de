import Channels
import Foundation
import Platforms
import Provisioning
import Testing

@testable import provision

/// Which boards `--all` and `--board` mean, and that each is flashed once.
@Suite struct FleetSelectionTests {
    private let tree: USBTree

    init() throws { tree = try USBTree() }

    /// Writes a platform file whose flash tool notes what it is told.
    private func addPlatform(_ name: String, vendor: String, flash: String) throws {
        let folder = tree.root.appending(path: "platforms")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            name = "\(name)"
            description = "a board"
            board = "\(name)"
            [match]
            usb = [{ vendor = \(vendor), product = 0x0204 }]
            [flash]
            method = "command"
            command = ["/bin/sh", "-c", 'echo "$@" >> "$0"', "\(notes.path)", \(flash), "{image}"]
            [channel]
            kind = "uart"
            """
        try Data(text.utf8).write(to: folder.appending(path: "\(name).toml"))
    }

    private var notes: URL { tree.root.appending(path: "notes") }

    /// - Parameter platform: nil: all that there are.
    private func select(_ platform: String?, _ fleet: String...) throws -> [FleetBoard] {
        var options = ["--platforms", tree.root.appending(path: "platforms").path]
        if let platform { options += ["--platform", platform] }
        return try FleetOptions.parse(fleet).boards(
            try PlatformOptions.parse(options), try ConnectionOptions.parse([]).connection,
            isFlashing: true,
            devices: tree.list())
    }

    /// Infineon/XMC-for-Arduino#209: there it was the first one, 30 times.
    @Test func thirtyBoardsAreFlashedOnceEach() throws {
        try addPlatform("xmc", vendor: "0x1366", flash: #""{port}", "{probe}""#)
        let numbers = (10..<40).map(String.init)
        for number in numbers {
            try tree.plug(
                at: "1-\(number)", "1366:0204", "J-Link", serial: "5900\(number)",
                ports: "ttyACM\(number)")
        }
        // What is no such board is left alone.
        try tree.plug(at: "2-1", "0403:6001", "FT232R", serial: "A", ports: "ttyUSB0")
        let boards = try select("xmc", "--all")
        #expect(boards.count == 30)
        let image = tree.root.appending(path: "image")
        try Data([1]).write(to: image)
        for board in boards {
            let flasher = try Board(
                board.choice.platform, board.choice.connection, packagePath: tree.root.path,
                stateDirectory: tree.root.path, interruption: try Interruption(),
                reporter: ProgressReporter(isVerbose: false), isFlashing: true
            ).flasher()
            _ = try #require(flasher).flash(FirmwareImage(path: image.path), erasing: false)
        }
        let told = try String(contentsOf: notes, encoding: .utf8).split(separator: "\n")
        #expect(
            told.map(String.init)
                == numbers.map { "\(tree.path("ttyACM\($0)")) 5900\($0) \(image.path)" })
    }

    @Test func withoutAPlatformEachBoardIsWhatItIs() throws {
        try addPlatform("red", vendor: "0x1366", flash: #""{port}""#)
        try addPlatform("blue", vendor: "0x0483", flash: #""{port}""#)
        try tree.plug(at: "1-1", "1366:0204", nil, serial: "A", ports: "ttyACM0")
        try tree.plug(at: "1-2", "0483:0204", nil, serial: "B", ports: "ttyACM1")
        let boards = try select(nil, "--all", "--board", "native:kitchen")
        #expect(boards.map(\.choice.platform.name) == ["red", "blue", "native"])
        #expect(boards.map(\.name) == [tree.path("ttyACM0"), tree.path("ttyACM1"), "kitchen"])
        #expect(try select("blue", "--all").map(\.choice.platform.name) == ["blue"])
    }

    @Test func aBoardThatIsNamedToo() throws {
        try addPlatform("red", vendor: "0x1366", flash: #""{port}""#)
        try tree.plug(at: "1-1", "1366:0204", nil, serial: "A", ports: "ttyACM0")
        for name in ["red", "red@\(tree.path("ttyACM0"))"] {
            let error = #expect(throws: ProvisioningError.self) {
                try select("red", "--all", "--board", name)
            }
            #expect(error?.code == .usage && error?.reason.contains("named twice") == true)
        }
    }

    /// Before any of them is touched.
    @Test func boardsThatNobodyCanTellApartAreRefused() throws {
        try addPlatform("red", vendor: "0x1366", flash: #""{probe}""#)
        try addPlatform("deaf", vendor: "0x0483", flash: #""--fast""#)
        for number in 1...2 {
            try tree.plug(
                at: "1-\(number)", "1366:0204", "J-Link", serial: "A", ports: "ttyACM\(number)")
            try tree.plug(
                at: "2-\(number)", "0483:0204", nil, serial: "B\(number)",
                ports: "ttyACM2\(number)")
        }
        for (platform, places) in [("red", ["1-1", "1-2"]), ("deaf", ["2-1", "2-2"])] {
            let error = #expect(throws: ProvisioningError.self) { try select(platform, "--all") }
            #expect(error?.code == .boardAmbiguous)
            for place in places { #expect(error?.reason.contains(place) == true) }
        }
    }

    /// One GDB server has one board; which, nobody knows.
    @Test func boardsBehindOneServerAreRefused() throws {
        let folder = tree.root.appending(path: "platforms")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            name = "served"
            description = "a board"
            board = "served"
            [match]
            usb = [{ vendor = 0x1366, product = 0x0204 }]
            [flash]
            method = "gdb"
            [channel]
            kind = "uart"
            [probe]
            endpoint = "tcp:localhost:3333"
            """
        try Data(text.utf8).write(to: folder.appending(path: "served.toml"))
        for number in 1...2 {
            try tree.plug(
                at: "1-\(number)", "1366:0204", "J-Link", serial: "\(number)",
                ports: "ttyACM\(number)")
        }
        let error = #expect(throws: ProvisioningError.self) { try select("served", "--all") }
        #expect(error?.code == .boardAmbiguous)
        #expect(error?.reason.contains("tcp:localhost:3333") == true)
        // Nor is one of them flashed through it.
        let platform = try Platform(
            parsing: Array(text.utf8), name: "served", file: "served.toml")
        let desk = Desk(platforms: [platform], devices: tree.list())
        let one = try ConnectionOptions.parse(["--usb-serial", "2"]).connection
        let refusal = #expect(throws: ProvisioningError.self) {
            try desk.choice(platform, one, isFlashing: true)
        }
        #expect(refusal?.code == .boardAmbiguous && refusal?.hint?.contains("--probe") == true)
        let named = try ConnectionOptions.parse(["--usb-serial", "2", "--probe", "tcp:[::1]:1"])
            .connection
        #expect(
            try desk.choice(platform, named, isFlashing: true).connection.serialPort
                == tree.path("ttyACM2"))
    }

    @Test func nothingIsAttached() throws {
        try addPlatform("red", vendor: "0x1366", flash: #""{port}""#)
        let error = #expect(throws: ProvisioningError.self) { try select("red", "--all") }
        #expect(error?.code == .boardUnknown)
        #expect(error?.reason.contains("no board is attached") == true)
    }

    @Test(
        arguments: [
            ("microbit", "microbit", nil, nil), ("native:kitchen", "native", nil, "kitchen"),
            ("microbit@/dev/a:b@c", "microbit", "/dev/a:b@c", nil),
            ("microbit@tcp:localhost:9090", "microbit", "tcp:localhost:9090", nil),
        ] as [(String, String, String?, String?)])
    func aNameHasParts(text: String, platform: String, port: String?, instance: String?) throws {
        let name = try BoardName(text)
        #expect(name.platform == platform && name.port == port && name.instance == instance)
    }

    @Test(arguments: [
        ("", "platform"), ("@/dev/x", "platform"), (":a", "platform"), ("native:", "instance"),
        ("native@", "port"), ("native@gdb:", "HOST:PORT"), ("native@@gdb:x:1", "port"),
    ])
    func aNameWithoutAPartIsNone(text: String, missing: String) {
        let error = #expect(throws: (any Error).self) { try BoardName(text) }
        #expect(String(describing: error).contains(missing))
    }
}
