import Channels
import Foundation
import Platforms
import Provisioning
import Synchronization
import Testing

@testable import provision

/// Boards that are USB devices of their own: they leave when they are flashed, and come back.
@Suite struct ChosenPortTests {
    private let desk: USBDesk

    init() throws { desk = try USBDesk() }

    @Test func theOneThatComesBackUnderAnotherName() throws {
        let kitchen = try desk.plug("ttyACM0", at: "1-1", serial: "A")
        let board = try desk.board()
        try board.checkChannel()
        desk.unplug("ttyACM0")
        // Another one was sooner; and then it is there again, with another firmware's identity.
        let garage = try desk.plug("ttyACM0", at: "1-2", serial: "B")
        desk.afterLooks(2) { try desk.plug("ttyACM1", at: "1-1", serial: "a", as: kitchen) }
        let channel = try board.openChannel()
        defer { channel.close() }
        #expect(channel.name.hasSuffix("/ttyACM1"))
        #expect(desk.isOpen(kitchen) && !desk.isOpen(garage))
    }

    @Test func anotherOneIsNotTaken() throws {
        try desk.plug("ttyACM0", at: "1-1", serial: "A")
        let board = try desk.board()
        try board.checkChannel()
        desk.unplug("ttyACM0")
        let garage = try desk.plug("ttyACM1", at: "1-2", serial: "A")
        let error = #expect(throws: ProvisioningError.self) { try board.openChannel() }
        #expect(error?.code == .channelUnavailable)
        for part in ["ttyACM0", "is gone", "ttyACM1"] {
            #expect(error?.reason.contains(part) == true, "\(String(describing: error))")
        }
        #expect(!desk.isOpen(garage))
    }

    /// Of two that are alike in all they say, one is flashed: it is the one in its place.
    @Test func withoutASerialNumberItIsKnownByItsPlace() throws {
        let kitchen = try desk.plug("ttyACM0", at: "1-2.1", serial: nil)
        let garage = try desk.plug("ttyACM1", at: "1-2.10", serial: nil)
        let board = try desk.board("--port", desk.path("ttyACM0"))
        try board.checkChannel()
        desk.unplug("ttyACM0")
        desk.afterLooks(2) { try desk.plug("ttyACM2", at: "1-2.1", serial: nil, as: kitchen) }
        let channel = try board.openChannel()
        defer { channel.close() }
        #expect(channel.name.hasSuffix("/ttyACM2"))
        #expect(desk.isOpen(kitchen) && !desk.isOpen(garage))
    }

    /// A place is one socket of one hub, not all that begin as it does.
    @Test(arguments: ["1-2.10", "1-2", "1-2.1.1", "11-2.1", "2-1"], [nil, "A"])
    func elsewhereIsAnother(place: String, serial: String?) throws {
        try desk.plug("ttyACM0", at: "1-2.1", serial: serial)
        let board = try desk.board(portTimeout: 300)
        try board.checkChannel()
        desk.unplug("ttyACM0")
        let other = try desk.plug("ttyACM0", at: place, serial: serial)
        let error = #expect(throws: ProvisioningError.self) { try board.openChannel() }
        #expect(error?.code == .channelUnavailable)
        #expect(error?.reason.contains("is gone") == true, "\(String(describing: error))")
        #expect(!desk.isOpen(other))
    }

    /// A board with two ports comes back with both: under names of which one was the other's, or both are new.
    @Test(arguments: [("ttyACM1", "ttyACM2"), ("ttyACM2", "ttyACM3")])
    func ofItsTwoPortsTheSameOne(first: String, second: String) throws {
        let console = try desk.plug("ttyACM0", at: "1-1", serial: "A", interface: 0)
        let data = try desk.plug("ttyACM1", at: "1-1", serial: "A", interface: 2)
        let board = try desk.board("--port", desk.path("ttyACM1"))
        try board.checkChannel()
        desk.unplug("ttyACM0")
        desk.unplug("ttyACM1")
        desk.afterLooks(2) {
            try desk.plug(first, at: "1-1", serial: "A", interface: 0, as: console)
            try desk.plug(second, at: "1-1", serial: "A", interface: 2, as: data)
        }
        let channel = try board.openChannel()
        defer { channel.close() }
        #expect(channel.name.hasSuffix("/\(second)"))
        #expect(desk.isOpen(data) && !desk.isOpen(console))
    }

    @Test func theOneThatWasNamed() throws {
        try desk.plug("ttyACM0", at: "1-1", serial: "A")
        try desk.plug("ttyACM1", at: "1-2", serial: "B")
        let board = try desk.board("--port", desk.path("ttyACM0"))
        try board.checkChannel()
        desk.unplug("ttyACM0")
        desk.unplug("ttyACM1")
        try desk.plug("ttyACM0", at: "1-2", serial: "B")
        desk.afterLooks(2) { try desk.plug("ttyACM1", at: "1-1", serial: "A") }
        let channel = try board.openChannel()
        defer { channel.close() }
        #expect(channel.name.hasSuffix("/ttyACM1"))
    }

    /// A tool that reads the ID through the port is told where it is by then.
    @Test func theToolThatReadsTheIDFollows() throws {
        let kitchen = try desk.plug("ttyACM0", at: "1-1", serial: "A")
        let board = try desk.board("--port", desk.path("ttyACM0"))
        try board.checkChannel()
        // Before the flasher is made, as much as after it.
        let reader = try #require(try board.deviceIDReader())
        #expect(try reader.readDeviceID().description == "00")
        desk.unplug("ttyACM0")
        try desk.plug("ttyACM0", at: "1-2", serial: "B")
        desk.afterLooks(2) { try desk.plug("ttyACM1", at: "1-1", serial: "A", as: kitchen) }
        #expect(try reader.readDeviceID().description == "01")
    }

    @Test func severalAreRefusedBeforeFlashing() throws {
        try desk.plug("ttyACM0", at: "1-1", serial: "A")
        try desk.plug("ttyACM1", at: "1-2", serial: "B")
        let board = try desk.board()
        let error = #expect(throws: ProvisioningError.self) { try board.checkChannel() }
        #expect(error?.reason.contains("2 serial ports are attached") == true)
        #expect(error?.hint?.contains("--port") == true)
    }

    /// It has no firmware yet.
    @Test func theOneThatComesWithItsFirstFirmware() throws {
        let board = try desk.board()
        try board.checkChannel()
        desk.afterLooks(2) { try desk.plug("ttyACM0", at: "1-1", serial: "A") }
        let channel = try board.openChannel()
        defer { channel.close() }
        #expect(channel.name.hasSuffix("/ttyACM0"))
    }

    /// Nothing is waited for where nothing was flashed.
    @Test func noneWithoutFlashing() throws {
        let board = try desk.board(isFlashing: false)
        let error = #expect(throws: ProvisioningError.self) { try board.openChannel() }
        #expect(error?.reason == "no serial port is attached")
        #expect(desk.lookCount == 1)
    }
}

/// Folders that look like /dev and /sys, with pseudo-terminals as boards.
private final class USBDesk: Sendable {
    private let root: URL
    private let stateDirectory: String
    private let masters = Mutex<[(master: Int32, slave: String)]>([])
    private let looks = Mutex<(count: Int, last: Int, plug: (@Sendable () throws -> Void)?)>(
        (0, 0, nil))

    struct Device {
        fileprivate let terminal: String
    }

    init() throws {
        root = FileManager.default.temporaryDirectory
            .appending(path: "usb-desk-\(UUID().uuidString.prefix(8))")
        stateDirectory = root.appending(path: "state").path
        for folder in ["dev", "state", "sys/class/tty"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: folder), withIntermediateDirectories: true)
        }
    }

    deinit {
        masters.withLock { for entry in $0 { close(entry.master) } }
        try? FileManager.default.removeItem(at: root)
    }

    var lookCount: Int { looks.withLock { $0.count } }

    func path(_ name: String) -> String { root.appending(path: "dev/\(name)").path }

    /// Has `plug` run when the ports were listed `count` times more.
    func afterLooks(_ count: Int, _ plug: @escaping @Sendable () throws -> Void) {
        looks.withLock { $0 = ($0.count, $0.count + count, plug) }
    }

    /// - Parameter device: what was plugged in before. Nil: a new one.
    @discardableResult
    func plug(
        _ name: String, at location: String, serial: String?, interface number: Int = 0,
        as device: Device? = nil
    ) throws -> Device {
        let device = try device ?? newDevice()
        let files = FileManager.default
        let interface = root.appending(path: "sys/devices/\(location)/\(location):1.\(number)")
        let tty = root.appending(path: "sys/class/tty/\(name)")
        for folder in [interface, tty] {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        let attributes = [("idVendor", "2e8a"), ("idProduct", "000a"), ("serial", serial)]
        for case (let file, let text?) in attributes {
            try Data("\(text)\n".utf8).write(
                to: interface.deletingLastPathComponent().appending(path: file))
        }
        try Data("0\(number)\n".utf8).write(to: interface.appending(path: "bInterfaceNumber"))
        try files.createSymbolicLink(
            at: tty.appending(path: "device"), withDestinationURL: interface)
        try files.createSymbolicLink(
            atPath: path(name), withDestinationPath: device.terminal)
        return device
    }

    func unplug(_ name: String) {
        unlink(path(name))
        try? FileManager.default.removeItem(at: root.appending(path: "sys/class/tty/\(name)"))
    }

    /// Whether a run has the device's terminal open.
    func isOpen(_ device: Device) -> Bool {
        let descriptor = open(device.terminal, O_RDWR | O_NOCTTY | O_CLOEXEC)
        // For root it is not exclusive, but it is locked for all.
        defer { close(descriptor) }
        return descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    /// - Parameter portTimeout: milliseconds that a port which left may stay away.
    func board(
        _ options: String..., isFlashing: Bool = true, portTimeout: Int = 10_000
    ) throws -> Board {
        let text = """
            name = "mine"
            description = "a board that is a USB device of its own"
            board = "mine"

            [flash]
            method = "command"
            command = ["/bin/true", "{image}"]

            [identify]
            command = ["/bin/sh", "-c", 'case "$0" in *1) echo 01;; *) echo 00;; esac', "{port}"]
            format = "hex"

            [channel]
            kind = "uart"

            [timeouts]
            boot-ms = 3000
            port-ms = \(portTimeout)
            """
        return Board(
            try Platform(parsing: Array(text.utf8), name: "mine", file: "mine.toml"),
            try ConnectionOptions.parse(options).connection, packagePath: root.path,
            stateDirectory: stateDirectory, interruption: try Interruption(),
            reporter: ProgressReporter(isVerbose: false), isFlashing: isFlashing,
            listPorts: { [self] in ports() })
    }

    private func ports() -> [SerialPortDescription] {
        let plug = looks.withLock { looks in
            looks.count += 1
            guard looks.count > looks.last else { return nil as (@Sendable () throws -> Void)? }
            defer { looks.plug = nil }
            return looks.plug
        }
        #expect(throws: Never.self) { try plug?() }
        return SerialPorts.list(
            devices: root.appending(path: "dev").path, system: root.appending(path: "sys").path)
    }

    private func newDevice() throws -> Device {
        let terminal = try PseudoTerminal(isRaw: false)
        close(terminal.slave)
        masters.withLock { $0.append((terminal.master, terminal.path)) }
        return Device(terminal: terminal.path)
    }
}
