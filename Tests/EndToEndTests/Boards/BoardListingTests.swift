import Channels
import Foundation
import Platforms
import Provisioning
import Testing

@testable import provision

@Suite struct BoardListingTests {
    private func listing(
        of tree: USBTree, _ state: URL, _ options: String...
    ) throws -> BoardListing {
        try BoardListing(
            try PlatformOptions.parse(options), stateDirectory: state.path, devices: tree.list())
    }

    @Test func showsWhatIsAttachedAndWhy() throws {
        let tree = try USBTree()
        try tree.plug(
            at: "1-1", "0d28:0204", "BBC micro:bit CMSIS-DAP", serial: "9900aa", ports: "ttyACM0")
        try tree.plug(at: "1-2", "1366:0101", "J-Link", serial: "000683")
        try tree.plug(at: "1-3", "046d:c52b", "Receiver", serial: nil)
        try tree.add(port: "ttyAMA0")
        let state = tree.root.appending(path: "state")
        let listing = try listing(of: tree, state)
        #expect(listing.records.map { $0.usb?.location } == ["1-1", "1-2", nil])
        #expect(listing.records[0].platforms.map(\.platform) == ["microbit"])
        #expect(listing.records[0].platforms[0].why == "USB 0d28:0204, serial number 9900…")
        #expect(listing.records[0].ports == [tree.path("ttyACM0")])
        #expect(listing.records[0].isProbe && listing.records[1].isProbe)
        #expect(listing.records[1].platforms.isEmpty)
        #expect(listing.records[2].ports == [tree.path("ttyAMA0")])
        #expect(listing.names == ["microbit@\(tree.path("ttyACM0"))"])
        #expect(listing.serialNumbers(ofProbes: true) == ["9900aa", "000683"])
        let lines = listing.text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].contains("BBC micro:bit CMSIS-DAP at 1-1, a debug probe"))
        #expect(try self.listing(of: tree, state, "--platform", "microbit").records.count == 1)
    }

    /// By what its file says of its own USB, where that tells one kind of device.
    @Test(arguments: [
        ("vendor = 0x1209, product = 0x0002", "USB 1209:0002, as [channel.usb] says"),
        ("vendor = 0x1209, serial = \"SN2\"", "USB 1209:0002, as [channel.usb] says, which is SN2"),
        ("serial = \"1-2\"", "USB 1209:0002, as [channel.usb] says, which is 1-2"),
        ("vendor = 0x1209", nil), ("interface = \"provisioning\"", nil),
    ])
    func aBoardThatIsSpokenToOverUSBIsKnown(usb: String, why: String?) throws {
        let tree = try USBTree()
        try tree.plug(at: "1-1", "1209:0003", "another", serial: "SN1")
        try tree.plug(at: "1-2", "1209:0002", "board", serial: "SN2")
        let text = """
            name = "own"
            description = "a board with a USB port of its own"
            board = "native"
            [flash]
            method = "gdb"
            [channel]
            kind = "usb"
            usb = { \(usb) }
            """
        try Data(text.utf8).write(to: tree.root.appending(path: "own.toml"))
        let listing = try listing(
            of: tree, tree.root, "--platforms", tree.root.path, "--platform", "own")
        #expect(listing.records.map { $0.platforms[0].why } == [why].compactMap(\.self))
        #expect(listing.records.map { $0.usb?.location } == (why == nil ? [] : ["1-2"]))

        let platform = try Platform(
            parsing: Array(text.utf8), name: "own", file: "own.toml")
        let desk = Desk(platforms: [platform], devices: tree.list())
        let account = MatchAccount(desk, isOfOne: true)
        #expect(account.devices.map(\.platform) == [nil, why.map { _ in "own" }])
        if let why {
            let choice = try desk.choice(nil, Connection(), isFlashing: false)
            #expect(choice.connection.foundPlace == "1-2")
            #expect(choice.remark?.hasSuffix("is a own: \(why)") == true)
            #expect(account.devices[0].rules[0].why.hasSuffix("of [channel.usb]"))
        }
    }

    /// Its probe is attached, too, and one board is not two.
    @Test func aProbeAndTheBoardsOwnUSBAreOneBoard() throws {
        let tree = try USBTree()
        try tree.plug(at: "1-1", "0d28:0204", "DAPLink", serial: "A", ports: "ttyACM0")
        try tree.plug(at: "1-2", "1209:0002", "board", serial: "SN2")
        let text = """
            name = "both"
            description = "a board with a probe and a USB port of its own"
            board = "native"
            [match]
            usb = [{ vendor = 0x0d28, product = 0x0204 }]
            [flash]
            method = "gdb"
            [channel]
            kind = "usb"
            usb = { vendor = 0x1209, product = 0x0002 }
            """
        let platform = try Platform(
            parsing: Array(text.utf8), name: "both", file: "both.toml")
        func places(_ devices: [AttachedDevice]) -> [String?] {
            Desk(platforms: [platform], devices: devices).boards.filter { !$0.matches.isEmpty }
                .map { $0.device.usb?.location }
        }
        #expect(places(tree.list()) == ["1-1"])
        #expect(places(tree.list().filter { $0.usb?.location != "1-1" }) == ["1-2"])
        let choice = try Desk(platforms: [platform], devices: tree.list())
            .choice(nil, Connection(), isFlashing: false)
        #expect(choice.connection.foundPlace == nil)
    }

    @Test func saysWhoHoldsAPort() throws {
        let tree = try USBTree()
        try tree.add(port: "ttyAMA0")
        let state = tree.root.appending(path: "state")
        #expect(try listing(of: tree, state).records[0].heldBy.isEmpty)
        let claim = try BoardClaim(tree.path("ttyAMA0"), else: .channelBusy, in: state.path)
        let holders = try listing(of: tree, state).records[0].heldBy
        #expect(holders.map(\.process) == [getpid()])
        claim.release()
        #expect(try listing(of: tree, state).records[0].heldBy.isEmpty)
    }

    /// With its port, by which the next command finds it; and not after kill -9.
    @Test func showsEmulatedBoardsThatRun() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            func found() throws -> [[String: Any]] {
                let boards = try provision("boards", "--platform", "native", "--json").json()
                return try #require(boards["boards"] as? [[String: Any]])
            }
            let board = try EmulatedBoard(
                provision, "native", "--firmware", image, "--instance", "kitchen")
            let shown = try #require(try found().first)
            #expect(shown["instance"] as? String == "kitchen")
            #expect(shown["ports"] as? [String] == [board.port])
            #expect((shown["heldBy"] as? [Any])?.isEmpty == true)
            let attached = try BackgroundRun(
                provision, ["enroll", "--platform", "native", "--port", board.port, "--attach"])
            #expect(attached.says("attached to"), "\(attached.errorOutput)")
            let holders = try #require(try found().first?["heldBy"] as? [[String: Any]])
            #expect(holders.map { $0["process"] as? Int } == [Int(attached.processID)])
            #expect(attached.interrupt() == 0)
            board.kill()
            #expect(try found().isEmpty)
            let names = try provision("boards", "--names")
            #expect(names.status == 0 && names.text.isEmpty)
        }
    }

    @Test func nothingIsSaidInWordsOrAsAnEmptyList() throws {
        try Executable.withHome { provision in
            // Whatever is attached to the machine that the tests run on: none is emulated.
            let table = try provision("boards", "--platform", "native")
            #expect(table.status == 0 && table.text.isEmpty)
            #expect(table.standardError.contains("provision emulate"))
            let list = try provision("boards", "--platform", "native", "--json").json()
            #expect((list["boards"] as? [Any])?.isEmpty == true)
        }
    }
}
