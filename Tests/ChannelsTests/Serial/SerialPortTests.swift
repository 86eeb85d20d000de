import CHost
import Foundation
import Provisioning
import Testing

@testable import Channels

@Suite struct SerialPortTests {
    let interruption: Interruption

    init() throws { interruption = try Interruption() }

    private func open(_ pty: UnopenedPort, baud: UInt32 = 115_200) throws -> SerialPort {
        try SerialPort(path: pty.path, baud: baud, interruption: interruption)
    }

    @Test func passesEveryByteBothWaysUnchanged() throws {
        let pty = try UnopenedPort()
        let port = try open(pty)
        let all = Array(UInt8.min...UInt8.max)

        #expect(write(pty.master, all, all.count) == all.count)
        var received: [UInt8] = []
        while received.count < all.count {
            let bytes = try port.read(atMost: 100, within: .seconds(20))
            try #require(!bytes.isEmpty)
            received += bytes
        }
        #expect(received == all)

        try port.write(all, within: .seconds(20))
        var sent: [UInt8] = []
        while sent.count < all.count {
            var buffer = [UInt8](repeating: 0, count: 1000)
            let count = read(pty.master, &buffer, buffer.count)
            try #require(count > 0)
            sent += buffer.prefix(count)
        }
        #expect(sent == all)
    }

    @Test func forgetsWhatCameBefore() throws {
        let pty = try UnopenedPort()
        // Something has to have the other end open for it to be queued.
        let earlier = Glibc.open(pty.path, O_RDWR | O_NOCTTY)
        defer { close(earlier) }
        #expect(write(pty.master, "stale\n", 6) == 6)
        let port = try open(pty)
        #expect(try port.read(atMost: 10, within: .milliseconds(50)) == [])
    }

    @Test(arguments: [9600, 115_200, 250_000, 1_000_000, 123_456] as [UInt32])
    func setsAnyRate(_ baud: UInt32) throws {
        let pty = try UnopenedPort()
        let port = try open(pty, baud: baud)
        let status = try settings(of: pty)
        #expect(chost_serial_baud(port.pollDescriptor) == baud)
        // stty knows only the rates that have a name.
        #expect(status.contains("speed \(baud == 123_456 || baud == 250_000 ? 0 : baud) baud"))
        for setting in [
            "-echo", "-icanon", "-opost", "-crtscts", "-ixon", "-isig", "-parenb", "cs8", "clocal",
        ] {
            #expect(status.contains(setting))
        }
        port.close()
    }

    @Test func restoresTheSettings() throws {
        let pty = try UnopenedPort()
        let witness = Glibc.open(pty.path, O_RDWR | O_NOCTTY)
        defer { close(witness) }
        let before = try settings(of: pty)
        let port = try open(pty)
        #expect(try settings(of: pty) != before)
        port.close()
        port.close()
        #expect(try settings(of: pty) == before)
    }

    @Test func isExclusiveAndNamesTheHolder() throws {
        let pty = try UnopenedPort()
        let port = try open(pty)
        let error = expectError(.channelBusy) { () throws(ProvisioningError) in
            try SerialPort(path: pty.path, baud: 9600, interruption: interruption)
        }
        let reason = try #require(error?.reason)
        #expect(reason.contains("process \(getpid())"), "\(reason)")
        port.close()
        try open(pty).close()
    }

    @Test func namesAnotherProcess() throws {
        let pty = try UnopenedPort()
        let child = try ChildProcess(
            Command(["flock", "-x", pty.path, "sleep", "20"]), failure: .internalFailure)
        let deadline = Deadline(within: .seconds(10))
        var reason = ""
        while !deadline.isPast {
            do {
                try open(pty).close()
                usleep(20_000)
            } catch let error as ProvisioningError {
                #expect(error.code == .channelBusy)
                reason = error.reason
                break
            }
        }
        #expect(reason.contains("process "), "\(reason)")
        #expect(!reason.contains("process \(getpid())"), "\(reason)")
        child.terminate()
    }

    @Test func saysWhichPortsExist() {
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try SerialPort(path: "/dev/ttyNONE7", baud: 9600, interruption: interruption)
        }
        #expect(error?.reason.contains("/dev/ttyNONE7") == true)
        #expect(error?.hint != nil)
    }

    @Test func refusesAFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("no port")
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try SerialPort(path: file, baud: 9600, interruption: interruption)
        }
        #expect(error?.reason.contains("not a serial port") == true)
    }

    @Test func explainsPermissions() {
        let error = SerialPort.openFailure("/dev/ttyACM9", SystemError(EACCES))
        #expect(error.code == .channelUnavailable)
        #expect(error.hint?.contains("dialout") == true)
        #expect(SerialPort.openFailure("/dev/x", SystemError(EBUSY)).code == .channelBusy)
    }

    @Test func noticesUnplugging() throws {
        var pty: UnopenedPort? = try UnopenedPort()
        let port = try open(try #require(pty))
        pty = nil
        let error = expectError(.channelClosed) { () throws(ProvisioningError) in
            try port.read(atMost: 1, within: .seconds(20))
        }
        #expect(error?.hint?.contains("unplugged") == true)
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try port.write([1], within: .seconds(2))
        }
        port.close()
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try port.read(atMost: 1, within: .seconds(2))
        }
    }

    @Test func writeGivesUpWhenNobodyReads() throws {
        let pty = try UnopenedPort()
        let port = try open(pty)
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try port.write([UInt8](repeating: 0x55, count: 1 << 20), within: .milliseconds(100))
        }
        #expect(error?.reason.contains("of 1048576 bytes in 100 ms") == true)
        // Nor does closing wait for a reader for long.
        let start = ContinuousClock.now
        port.close()
        #expect(start.duration(to: .now) < .seconds(20))
    }

    @Test func stopsWhenInterrupted() throws {
        let pty = try UnopenedPort()
        let port = try open(pty)
        let interruption = interruption
        onThread {
            usleep(50_000)
            interruption.interrupt()
        }
        let start = ContinuousClock.now
        expectError(.interrupted) { () throws(ProvisioningError) in
            try port.read(atMost: 1, within: .seconds(30))
        }
        #expect(start.duration(to: .now) < .seconds(25))
    }

    @Test func listsPortsWithTheirUSBDevices() throws {
        let folder = try TemporaryFolder()
        let files = FileManager.default
        let device = "\(folder.path)/sys/devices/usb1/1-2"
        let interface = "\(device)/1-2:1.1"
        let tty = "\(folder.path)/sys/class/tty/ttyACM10"
        for path in ["\(folder.path)/dev", interface, tty] {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        // ttyGS is this machine's own end of a USB cable.
        for name in ["ttyACM10", "ttyACM2", "ttyUSB0", "ttyS0", "ttyGS0", "null"] {
            _ = try folder.file("dev/\(name)")
        }
        try files.createSymbolicLink(atPath: "\(tty)/device", withDestinationPath: interface)
        for (name, text) in [
            ("idVendor", "0d28\n"), ("idProduct", "0204\n"), ("serial", "9904\u{1b}[2J\n"),
            ("product", "BBC micro:bit\n"),
        ] { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(device)/\(name)")) }

        let ports = SerialPorts.list(
            devices: "\(folder.path)/dev", system: "\(folder.path)/sys")
        #expect(
            ports.map { $0.path.split(separator: "/").last } == ["ttyACM2", "ttyUSB0", "ttyACM10"])
        #expect(ports[0].usb == nil)
        #expect(ports[2].usb?.description == "0d28:0204 \"BBC micro:bit\" 9904 [2J")
    }

    /// What `stty` says of the terminal. It asks the master's end, which speaks for the slave: the
    /// port is open exclusively, and only root could open it a second time.
    private func settings(of pty: UnopenedPort) throws -> String {
        let (process, output) = (Process(), Pipe())
        // Foundation would keep it for as long as the tests run.
        defer { try? output.fileHandleForReading.close() }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["stty", "-a"]
        process.standardInput = FileHandle(fileDescriptor: pty.master, closeOnDealloc: false)
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self)
    }
}
