import Channels
import Foundation
import Platforms
import Provisioning
import Testing

@testable import provision

/// On what a board's firmware is reached: what the user names, else what the platform file says, whatever
/// ports USB shows.
@Suite struct RouteTests {
    private let tree: USBTree

    init() throws { tree = try USBTree() }

    private static let flash = """
        [flash]
        method = "command"
        command = ["/bin/true", "--port={port}", "{image}"]
        """
    private static let deaf = """
        [flash]
        method = "gdb"
        """
    private static let rtt = "rtt = { ram = [{ address = 0x20000000, length = 0x2000 }] }"

    private func platform(_ rest: String) throws -> Platform {
        let text = """
            name = "mine"
            description = "a board"
            board = "mine"
            [match]
            usb = [{ vendor = 0x0d28, product = 0x0204 }]

            """
        return try Platform(
            parsing: Array((text + rest).utf8), name: "mine", file: "mine.toml")
    }

    /// What the run would use, and the port that its tools are told.
    private func route(
        _ platform: Platform, _ options: String...
    ) throws -> (route: any ChannelRoute, port: String?) {
        try route(platform, options)
    }

    private func route(
        _ platform: Platform, _ options: [String]
    ) throws -> (route: any ChannelRoute, port: String?) {
        let connection = try ConnectionOptions.parse(options).connection
        let choice = try Desk(platforms: [platform], devices: tree.list())
            .choice(platform, connection, isFlashing: true)
        let board = Board(
            choice.platform, choice.connection, packagePath: tree.root.path,
            stateDirectory: tree.root.path, interruption: try Interruption(),
            reporter: ProgressReporter(isVerbose: false), isFlashing: true, listPorts: { [] })
        try board.start()
        let found = (try board.chosenRoute(), board.toolValues(port: choice.connection.serialPort))
        try board.stop()
        return (found.0, found.1[.port])
    }

    /// A probe brings a serial port along. It is no channel of a board that speaks another one.
    @Test func theProbesPortIsNotTheChannel() throws {
        try tree.plug(at: "1-1", "0d28:0204", "DAPLink", serial: "A", ports: "ttyACM0")
        let through = try route(
            platform("\(Self.deaf)\n[channel]\nkind = \"rtt\"\n\(Self.rtt)"))
        #expect(through.route is RTTRoute && through.port == nil)
        let asked = try route(
            platform("\(Self.deaf)\n[channel]\nkind = \"uart\"\n\(Self.rtt)"), "--channel", "rtt")
        #expect(asked.route is RTTRoute)
        let network = try route(
            platform("\(Self.deaf)\n[channel]\nkind = \"udp\"\nudp = { endpoint = \"udp:h\" }"))
        #expect(network.route is UDPRoute)
        let serial = try route(platform("\(Self.deaf)\n[channel]\nkind = \"uart\""))
        #expect(serial.route is SerialRoute && serial.port == tree.path("ttyACM0"))
    }

    /// What `--dry-run` says is what the run would do.
    @Test func aPreviewTellsTheRoute() throws {
        try tree.plug(at: "1-1", "0d28:0204", "DAPLink", serial: "A", ports: "ttyACM0")
        func evidence(_ channel: String, _ report: String = "") throws -> String? {
            let platform = try platform("\(Self.flash)\n[channel]\n\(channel)\n\(report)")
            let choice = try Desk(platforms: [platform], devices: tree.list())
                .choice(platform, Connection(), isFlashing: true)
            let command = try RunCommand.parse(["--firmware", "app.elf"])
            return try RunPreview(command, choice, State()).lines()
                .first { $0.step == "evidence" }?.action
        }
        let port = tree.path("ttyACM0")
        #expect(try evidence("kind = \"uart\"") == "ask on \(port)")
        #expect(try evidence("kind = \"uart\"", "[report]")?.hasSuffix("on \(port)") == true)
        #expect(
            try evidence("kind = \"rtt\"\n\(Self.rtt)") == "ask on RTT through the probe")
    }

    /// It is flashed through a port that nothing is said on.
    @Test func theToolsPortIsNotTheChannel() throws {
        try tree.plug(at: "1-1", "0d28:0204", "DAPLink", serial: "A", ports: "ttyACM0")
        let found = try route(
            platform("\(Self.flash)\n[channel]\nkind = \"udp\"\nudp = { endpoint = \"udp:h\" }"))
        #expect(found.route is UDPRoute && found.port == tree.path("ttyACM0"))
    }

    /// Nobody has to choose a port that nobody uses.
    @Test func portsThatNobodyUsesAreNotAmbiguous() throws {
        try tree.plug(at: "1-1", "0d28:0204", "DAPLink", serial: "A", ports: "ttyACM0", "ttyACM1")
        let channel = "[channel]\nkind = \"rtt\"\n\(Self.rtt)"
        #expect(try route(platform("\(Self.deaf)\n\(channel)")).route is RTTRoute)
        let error = #expect(throws: ProvisioningError.self) {
            try route(platform("\(Self.flash)\n\(channel)"))
        }
        #expect(error?.reason.contains("2 serial ports") == true)
    }

    /// Its own USB is where USB shows it; a probe is plugged in beside it.
    @Test func aBoardsOwnUSBIsInItsPlace() throws {
        try tree.plug(at: "1-1", "0d28:0204", "DAPLink", serial: "A", ports: "ttyACM0")
        try tree.plug(at: "1-2", "1209:0003", "bootloader", serial: nil)
        try tree.plug(at: "1-3", "1209:0002", "board", serial: nil)
        let platform = try platform(
            "\(Self.deaf)\n[channel]\nkind = \"usb\"\nusb = { vendor = 0x1209, product = 2 }")
        let devices = tree.list()
        let desk = Desk(platforms: [platform], devices: devices)
        func place(_ location: String, _ connection: Connection) throws -> String? {
            let device = try #require(devices.first { $0.usb?.location == location })
            return try desk.choice(of: device, platform, connection, isFlashing: false)
                .connection.foundPlace
        }
        #expect(try place("1-1", Connection()) == nil)
        #expect(try place("1-2", Connection()) == "1-2")
        #expect(try place("1-3", Connection()) == "1-3")
        #expect(try place("1-3", Connection(port: "usb:1209:0002")) == nil)
    }

    @Test func aPortThatIsNamedIsTheChannel() throws {
        let rtt = try platform("\(Self.deaf)\n[channel]\nkind = \"rtt\"\n\(Self.rtt)")
        #expect(try route(rtt, "--port", "/dev/ttyS9").route is SerialRoute)
        #expect(try route(rtt, "--port", "tcp:h:1").route is SocketRoute)
        #expect(try route(rtt, "--port", "openocd:h").route is OpenOCDRoute)
        #expect(try route(rtt, "--port", "udp:h").route is UDPRoute)
        #expect(try route(rtt, "--port", "usb:1209:0002").route is USBRoute)
    }

    /// Its names are its own, whatever they look like.
    @Test(arguments: ["udp:", "usb:", "usb:1:2:3", "tcp:", "tcp:h:1", "openocd:", "unix:", "COM3"])
    func whateverAnAdapterUnderstands(name: String) throws {
        let adapted = try platform("[adapter]\nname = \"mine\"")
        for channel in [[], ["--channel", "adapter"]] {
            let found = try route(adapted, channel + ["--port", name, "--probe", name])
            #expect(found.route is AdapterRoute && found.port == name)
        }
    }

    @Test func aPlatformWithoutAnAdapterHasNoneOfItsPorts() throws {
        let error = #expect(throws: ProvisioningError.self) {
            try route(
                platform("\(Self.deaf)\n[channel]\nkind = \"uart\""), "--channel", "adapter",
                "--port", "/dev/ttyS9")
        }
        #expect(error?.reason.contains("has no adapter") == true)
    }
}
