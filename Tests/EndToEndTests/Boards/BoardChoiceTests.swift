import Channels
import Foundation
import Platforms
import Provisioning
import Testing

@testable import provision

/// Which of the attached boards a command is for, and that it is never another one.
@Suite struct BoardChoiceTests {
    private let tree: USBTree
    private let microbit: Platform

    init() throws {
        tree = try USBTree()
        microbit = try PlatformCatalogue().platform(named: "microbit")
    }

    /// - Parameter flash: the flash command's arguments.
    private func platform(
        _ name: String, vendor: String = "0x2e8a", flash: String = #""--port={port}""#
    ) throws -> Platform {
        let text = """
            name = "\(name)"
            description = "a board"
            board = "\(name)"
            [match]
            usb = [{ vendor = \(vendor), product = 0x000a }]
            [flash]
            method = "command"
            command = ["/bin/true", \(flash), "{image}"]
            [channel]
            kind = "uart"
            """
        return try Platform(parsing: Array(text.utf8), name: name, file: "\(name).toml")
    }

    private func choose(
        _ platform: Platform?, among platforms: [Platform] = [], _ options: String...
    ) throws -> BoardChoice {
        let desk = Desk(
            platforms: platform.map { [$0] } ?? platforms, devices: tree.list())
        return try desk.choice(
            platform, try ConnectionOptions.parse(options).connection, isFlashing: true)
    }

    private func expectRefusal(
        _ code: ErrorCode, _ parts: String..., hint: String...,
        at location: SourceLocation = #_sourceLocation, _ body: () throws -> BoardChoice
    ) {
        let error = #expect(throws: ProvisioningError.self, sourceLocation: location) {
            _ = try body()
        }
        #expect(error?.code == code, "\(String(describing: error))", sourceLocation: location)
        for part in parts {
            #expect(
                error?.reason.contains(part) == true, "\(part) in \(error?.reason ?? "")",
                sourceLocation: location)
        }
        for part in hint {
            #expect(
                error?.hint?.contains(part) == true, "\(part) in \(error?.hint ?? "")",
                sourceLocation: location)
        }
    }

    private func plugMicrobit(_ port: String, at place: String, serial: String) throws {
        try tree.plug(
            at: place, "0d28:0204", "BBC micro:bit CMSIS-DAP", serial: serial, ports: port)
    }

    /// A flash command of the user's among two boards has to say which one it is for: by a placeholder, or
    /// by the name itself.
    @Test func aGivenFlashCommandNamesItsBoard() throws {
        let pico = try platform("pico")
        for (number, serial) in [(0, "E660A"), (1, "E660B")] {
            try tree.plug(
                at: "1-\(number + 1)", "2e8a:000a", "Pico", serial: serial, ports: "ttyACM\(number)"
            )
        }
        func choose(_ words: String..., among devices: [AttachedDevice]) throws -> BoardChoice {
            let given = GivenFlash(
                command: try CommandTemplate(["flasher"] + words), printsLog: nil)
            return try Desk(platforms: [pico], devices: devices).choice(
                pico, try ConnectionOptions.parse(["--usb-serial", "E660B"]).connection,
                isFlashing: true,
                given: given)
        }
        let both = tree.list()
        let port = tree.path("ttyACM1")
        for words in [
            ["--port={port}"], ["--probe={probe}"], ["-P\(port)"], ["--serial", "E660B"],
        ] {
            let choice =
                try words.count == 1
                ? choose(words[0], among: both) : choose(words[0], words[1], among: both)
            #expect(choice.connection.serialPort == port)
            guard case .command(let commands) = choice.flash else {
                Issue.record("\(choice.flash)")
                continue
            }
            #expect(commands.flash.arguments == ["flasher"] + words)
        }
        expectRefusal(
            .boardAmbiguous, "names neither port nor probe", "2 such boards", "E660A",
            hint: "{probe} or {port}"
        ) { try choose("E660A", among: both) }
        _ = try choose("write", among: both.filter { $0.usb?.serialNumber == "E660B" })
    }

    @Test func theOnlyBoardNeedsNoName() throws {
        try plugMicrobit("ttyACM0", at: "1-1", serial: "9900aa")
        try tree.plug(at: "1-2", "046d:c52b", "Receiver", serial: nil)
        let choice = try choose(nil, among: [microbit, try platform("pico")])
        #expect(choice.platform == microbit)
        #expect(choice.connection.serialPort == tree.path("ttyACM0"))
        #expect(choice.connection.probeSerial == "9900aa")
        // Not silently.
        let remark = try #require(choice.remark)
        #expect(remark.contains("is a microbit: USB 0d28:0204"))
        #expect(remark.contains("ttyACM0"))
    }

    /// V2 has the same USB identity, and another processor.
    @Test func anotherVersionIsAnotherBoard() throws {
        try plugMicrobit("ttyACM0", at: "1-1", serial: "9904aa")
        expectRefusal(.boardUnknown, "no --platform is given", "ttyACM0", "matches no platform") {
            try choose(nil, among: [microbit])
        }
        expectRefusal(.boardUnknown, "nothing attached matches microbit", "9904aa") {
            try choose(microbit)
        }
    }

    @Test func ofSeveralNoneIsTaken() throws {
        try plugMicrobit("ttyACM0", at: "1-1", serial: "9900aa")
        try plugMicrobit("ttyACM1", at: "1-2", serial: "9900bb")
        for platform in [nil, microbit] {
            expectRefusal(
                .boardAmbiguous, "2 ", "ttyACM0", "ttyACM1", "9900aa", "9900bb",
                hint: "--usb-serial 9900aa", "--usb-serial 9900bb", "--all"
            ) { try choose(platform, among: [microbit]) }
        }
    }

    @Test(arguments: ["--usb-serial", "--probe-serial"])
    func theSerialNumberFindsPortAndProbe(option: String) throws {
        try plugMicrobit("ttyACM0", at: "1-1", serial: "9900aa")
        try plugMicrobit("ttyACM1", at: "1-2", serial: "9900bb")
        for platform in [nil, microbit] {
            let choice = try choose(platform, among: [microbit], option, "9900bb")
            #expect(choice.connection.serialPort == tree.path("ttyACM1"))
            #expect(choice.connection.probeSerial == "9900bb")
        }
    }

    @Test func aSerialNumberThatNobodyHas() throws {
        try plugMicrobit("ttyACM0", at: "1-1", serial: "9900aa")
        expectRefusal(.boardUnknown, "serial number 9900cc", "9900aa") {
            try choose(microbit, "--usb-serial", "9900cc")
        }
    }

    /// As a series of STM32H5 boards had it.
    @Test func aSerialNumberThatTwoHaveIsRefused() throws {
        let pico = try platform("pico")
        for (port, place) in [("ttyACM0", "1-1"), ("ttyACM1", "1-2")] {
            try tree.plug(at: place, "2e8a:000a", "Pico", serial: "0001", ports: port)
        }
        expectRefusal(
            .boardAmbiguous, "2 boards", "0001", "ttyACM0", "1-1", "ttyACM1", "1-2",
            hint: "--port \(tree.path("ttyACM0"))", "--port \(tree.path("ttyACM1"))"
        ) { try choose(pico, "--usb-serial", "0001") }
        // The options that are named are such as choose.
        expectRefusal(
            .boardAmbiguous, "2 attached", hint: "--port \(tree.path("ttyACM1"))"
        ) { try choose(pico) }
        let choice = try choose(pico, "--port", tree.path("ttyACM1"))
        #expect(choice.connection.serialPort == tree.path("ttyACM1"))
        guard case .device(let device) = choice.scope else {
            Issue.record("any port is taken for the board's")
            return
        }
        #expect(device.usb?.location == "1-2")
    }

    /// Infineon/XMC-for-Arduino#209: the first board was flashed 30 times.
    @Test func aFlashToolThatChoosesByItselfIsNotRunAmongSeveral() throws {
        let deaf = try platform("deaf", flash: #""--fast""#)
        try tree.plug(at: "1-1", "2e8a:000a", "Pico", serial: "A", ports: "ttyACM0")
        #expect(try choose(deaf).connection.serialPort == tree.path("ttyACM0"))
        try tree.plug(at: "1-2", "2e8a:000a", "Pico", serial: "B", ports: "ttyACM1")
        for options in [["--usb-serial", "B"], ["--port", tree.path("ttyACM1")]] {
            expectRefusal(
                .boardAmbiguous, "neither port nor probe", "2 such boards", hint: "{port}"
            ) { try choose(deaf, options[0], options[1]) }
        }
        let desk = Desk(platforms: [deaf], devices: tree.list())
        // What is not flashed can't be the wrong one.
        let options = try ConnectionOptions.parse(["--usb-serial", "B"]).connection
        #expect(
            try desk.choice(deaf, options, isFlashing: false).connection.serialPort
                == tree.path("ttyACM1"))
    }

    @Test func probesThatShareASerialNumberAreNotFlashed() throws {
        for (port, place) in [("ttyACM0", "1-1"), ("ttyACM1", "1-2")] {
            try plugMicrobit(port, at: place, serial: "9900aa")
        }
        expectRefusal(.boardAmbiguous, "2 probes", "9900aa", "1-1", "1-2", hint: "unplug") {
            try choose(microbit, "--port", tree.path("ttyACM1"))
        }
    }

    @Test func whatContradictsItself() throws {
        try plugMicrobit("ttyACM0", at: "1-1", serial: "9900aa")
        try plugMicrobit("ttyACM1", at: "1-2", serial: "9900bb")
        expectRefusal(.usage, "ttyACM0", "9900bb", hint: "--port", "--usb-serial") {
            try choose(microbit, "--port", tree.path("ttyACM0"), "--usb-serial", "9900bb")
        }
        let emulated = try PlatformCatalogue().platform(named: "microbit-qemu")
        expectRefusal(.usage, "emulated", hint: "--instance") {
            try choose(emulated, "--usb-serial", "9900bb")
        }
    }

    /// Who names a platform that the board does not match gets it, and a word about it.
    @Test func anotherBoardThanThePlatformDescribes() throws {
        try plugMicrobit("ttyACM0", at: "1-1", serial: "9904aa")
        let choice = try choose(microbit, "--port", tree.path("ttyACM0"))
        #expect(choice.remark?.contains("not what the platform microbit describes") == true)
    }

    @Test func aDeviceThatTwoPlatformsDescribe() throws {
        try tree.plug(at: "1-1", "2e8a:000a", "Pico", serial: "A", ports: "ttyACM0")
        let platforms = [try platform("pico"), try platform("pico-too")]
        expectRefusal(
            .boardAmbiguous, "matches pico and pico-too", hint: "--platform pico",
            "--platform pico-too"
        ) { try choose(nil, among: platforms) }
        #expect(try choose(platforms[1]).platform == platforms[1])
    }

    @Test func aPartOfTheNameTells() throws {
        let text = """
            name = "named"
            description = "a board"
            board = "named"
            [match]
            usb = [{ vendor = 0x2e8a, text = "Pico W" }]
            [flash]
            method = "gdb"
            [channel]
            kind = "uart"
            """
        let named = try Platform(parsing: Array(text.utf8), name: "named", file: "named.toml")
        try tree.plug(at: "1-1", "2e8a:000a", "Pico", serial: "A", ports: "ttyACM0")
        try tree.plug(at: "1-2", "2e8a:f00a", nil, serial: "B", ports: "ttyACM1")
        try tree.plug(at: "1-3", "2e8b:000a", "Pico W", serial: "C", ports: "ttyACM2")
        expectRefusal(.boardUnknown, "ttyACM0", "ttyACM1", "ttyACM2") { try choose(named) }
        try tree.plug(at: "1-4", "2e8a:000b", "The Pico W board", serial: "D", ports: "ttyACM3")
        let choice = try choose(nil, among: [named])
        #expect(choice.connection.serialPort == tree.path("ttyACM3"))
        #expect(choice.remark?.contains("product \"The Pico W board\"") == true)
    }

    /// The rule says which port; without it, nobody does.
    @Test func aDeviceWithTwoPorts() throws {
        try tree.plug(at: "1-1", "2e8a:000a", "Two", serial: "A", ports: "ttyACM0", "ttyACM1")
        expectRefusal(
            .boardAmbiguous, "2 serial ports", hint: "--port \(tree.path("ttyACM0"))",
            "--port \(tree.path("ttyACM1"))"
        ) { try choose(try platform("pico")) }
        let text = """
            name = "second"
            description = "a board"
            board = "second"
            [match]
            usb = [{ vendor = 0x2e8a, product = 0x000a, interface = 3 }]
            [flash]
            method = "gdb"
            [channel]
            kind = "uart"
            """
        let second = try Platform(parsing: Array(text.utf8), name: "second", file: "second.toml")
        #expect(try choose(second).connection.serialPort == tree.path("ttyACM1"))
    }

    /// The port may come with the first firmware; another board's is not it.
    @Test func aBoardThatHasNoPortYet() throws {
        let pico = try platform("pico")
        let choice = try choose(pico)
        #expect(choice.connection.serialPort == nil)
        try tree.plug(at: "1-1", "1a86:7523", "CH340", serial: nil, ports: "ttyUSB0")
        try tree.plug(at: "1-2", "2e8a:000a", "Pico", serial: "A", ports: "ttyACM0")
        let ports = SerialPorts.list(devices: tree.devicesFolder, system: tree.system)
        #expect(ports.count == 2)
        #expect(ports.filter(choice.scope.admits).map(\.path) == [tree.path("ttyACM0")])
    }

    /// As before: without [match], the only port is the board's.
    @Test func aPlatformThatSaysNothingOfUSB() throws {
        try tree.add(port: "ttyAMA0")
        let native = try PlatformCatalogue().platform(named: "native")
        #expect(try choose(native).connection.serialPort == nil)
        let text = PlainPlatform.text
        let plain = try Platform(parsing: Array(text.utf8), name: "plain", file: "plain.toml")
        let choice = try choose(plain)
        #expect(choice.connection.serialPort == nil)
        #expect(tree.list().flatMap(\.ports).allSatisfy(choice.scope.admits))
    }
}

private enum PlainPlatform {
    static let text = """
        name = "plain"
        description = "a board"
        board = "plain"
        [flash]
        method = "gdb"
        [channel]
        kind = "uart"
        """
}
