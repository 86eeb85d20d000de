import Foundation
import JTAGProbe
import Provisioning
import ProvisioningTesting
import Synchronization
import Testing

@testable import Channels

/// RTT through the real OpenOCD, whose board is a fake.
@Suite(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
struct OpenOCDTests {
    private static let settings = RTTSettings(
        memory: [AddressRange(address: UInt64(TargetRAM.base), length: 8192)!])

    private func control(_ server: OpenOCD, _ interruption: Interruption) throws -> OpenOCDControl {
        OpenOCDControl(try server.connect(interruption), replyTimeout: .seconds(60))
    }

    /// - Parameter open: opens the channel to the board behind the server.
    private func run(
        _ check: ChannelCheck, open: (OpenOCD, Interruption) throws -> RTTChannel
    ) throws {
        let farEnd = RingEnd()
        let server = try OpenOCD(farEnd.ram)
        farEnd.start()
        let isMade = try check.run {
            let interruption = try Interruption()
            return ChannelUnderTest(
                channel: try open(server, interruption), farEnd: farEnd,
                interrupt: { interruption.interrupt() }, noticesLeaving: false)
        }
        #expect(isMade == (check != .noticesTheEnd))
    }

    @Test(arguments: ChannelCheck.allCases)
    func keepsAChannelsPromises(_ check: ChannelCheck) throws {
        try run(check) { server, interruption in
            try RTTChannel(
                control(server, interruption), Self.settings, within: .seconds(60),
                interruption: interruption)
        }
    }

    @Test(arguments: ChannelCheck.allCases)
    func keepsThemThroughItsGDBServer(_ check: ChannelCheck) throws {
        try run(check) { server, interruption in
            _ = try control(server, interruption)
            let remote = try GDBRemote.connect(
                to: .tcp(host: "127.0.0.1", port: server.gdbPort), within: .seconds(60),
                replyTimeout: .seconds(60), interruption: interruption)
            return try RTTChannel(
                GDBTargetMemory(remote, trying: UInt64(TargetRAM.base)), Self.settings,
                locator: RTTLocator(Self.settings), within: .seconds(60),
                interruption: interruption)
        }
    }

    /// Whatever the length of an answer, also the one that OpenOCD gives a broken checksum.
    @Test func everyLengthIsReadThroughItsGDBServer() throws {
        let ram = TargetRAM(size: 16 << 10)
        ram.edit { ram in for index in ram.indices { ram[index] = UInt8(index & 255) } }
        let server = try OpenOCD(ram)
        let interruption = try Interruption()
        _ = try control(server, interruption)
        let remote = try GDBRemote.connect(
            to: .tcp(host: "127.0.0.1", port: server.gdbPort), within: .seconds(60),
            replyTimeout: .seconds(60), interruption: interruption)
        for count in [1, 2, 508, 509, 510, 511, 512, 1020, 2048, remote.readLength + 510] {
            let bytes = try remote.readMemory(at: UInt64(TargetRAM.base), count: count)
            let isWhole = bytes.count == count && bytes.enumerated().allSatisfy { $1 == $0 & 255 }
            #expect(isWhole, "\(count)")
        }
    }

    /// Only the image tells a block that lives, and is not the firmware's, from its own.
    @Test(arguments: [true, false])
    func theImageSettlesWhichBlockItIs(_ throughGDB: Bool) throws {
        let (own, decoy) = (RingFirmware(block: 0x100), RingFirmware(block: 0x1000))
        let ram = TargetRAM { ram in
            if decoy.send([0x21], &ram) == 0 { decoy.start(&ram) }
        }
        ram.edit { ram in
            own.start(&ram)
            decoy.start(&ram)
            _ = own.send(Array("hello".utf8), &ram)
        }
        let server = try OpenOCD(ram)
        let interruption = try Interruption()
        let control = try control(server, interruption)
        let folder = try TemporaryFolder()
        let file = ELFFile(
            segments: [.init(address: 0, bytes: [1])],
            symbols: [("_SEGGER_RTT", UInt64(TargetRAM.base) + 0x100)])
        let image = FirmwareImage(path: try folder.file("firmware.elf", file.bytes))
        let flasher = GDBFlasher(
            .init(
                endpoint: .tcp(host: "127.0.0.1", port: server.gdbPort),
                connectTimeout: .seconds(60), replyTimeout: .seconds(60)),
            interruption: interruption)
        func open(_ image: FirmwareImage?) throws(ProvisioningError) -> RTTChannel {
            throughGDB
                ? try flasher.openRTT(Self.settings, of: image, within: .seconds(60))
                : try RTTChannel(
                    control, Self.settings, of: image, within: .seconds(60),
                    interruption: interruption)
        }
        let channel = try open(image)
        #expect(try channel.read(atMost: 5, within: .seconds(60)) == Array("hello".utf8))
        // What is no ELF file says nothing.
        let raw = FirmwareImage(path: try folder.file("firmware.bin", [1, 2, 3]))
        for image in [raw, FirmwareImage(path: folder.path + "/gone"), nil] {
            let wrong = try open(image)
            #expect(try wrong.read(atMost: 1, within: .seconds(60)) == [0x21])
        }
    }

    /// OpenOCD looks once, and firmware may need its time.
    @Test func waitsForFirmwareThatStarts() throws {
        let farEnd = RingEnd()
        let server = try OpenOCD(farEnd.ram)
        let interruption = try Interruption()
        let control = try control(server, interruption)
        onThread {
            usleep(300_000)
            farEnd.start()
        }
        let channel = try RTTChannel(
            control, Self.settings, within: .seconds(60),
            interruption: interruption)
        farEnd.send([1, 2, 3])
        #expect(try channel.read(atMost: 9, within: .seconds(60)).first == 1)
    }

    @Test func saysWhenThereIsNone() throws {
        let server = try OpenOCD(TargetRAM())
        let interruption = try Interruption()
        let control = try control(server, interruption)
        let error = expectError(.rttNotFound) { () throws(ProvisioningError) in
            try RTTChannel(
                control, Self.settings, within: .milliseconds(300),
                interruption: interruption)
        }
        #expect(error?.reason.contains("8192 bytes at 0x20000000") == true)
    }

    /// OpenOCD's words reach the user.
    @Test func saysWhatOpenOCDRefuses() throws {
        let server = try OpenOCD(TargetRAM())
        let control = try control(server, Interruption())
        #expect(try control.run("version") != .failed(""))
        let error = expectError(.probeProtocol) { () throws(ProvisioningError) in
            try control.require("read_memory 0x20000000 31 1")
        }
        #expect(error?.reason.contains("invalid width") == true, "\(String(describing: error))")
        // Braces, brackets and line feeds of a result are its own.
        #expect(try control.require("set provision_test {a [b] $c {d e}}") == "a [b] $c {d e}")
    }

    /// Any place and length, aligned or not; and no neighbour is touched.
    @Test func readsAndWritesMemory() throws {
        let ram = TargetRAM()
        let server = try OpenOCD(ram)
        let memory = OpenOCDMemory(try control(server, Interruption()))
        for (offset, count) in [(0, 4), (1, 1), (2, 7), (3, 9), (0, 0), (5, 3), (8, 4200)] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + offset) }
            let address = UInt64(TargetRAM.base) + UInt64(offset)
            ram.edit { $0 = [UInt8](repeating: 0xA5, count: $0.count) }
            try memory.write(at: address, bytes)
            #expect(try memory.read(at: address, count: count) == bytes)
            ram.edit { ram in
                #expect(Array(ram[offset..<offset + count]) == bytes)
                #expect(ram[..<offset].allSatisfy { $0 == 0xA5 })
                #expect(ram[(offset + count)...].allSatisfy { $0 == 0xA5 })
            }
        }
    }

    /// OpenOCD's GDB server reads while the core runs.
    @Test func itsGDBServerNeedNotHaltTheCore() throws {
        let farEnd = RingEnd()
        let server = try OpenOCD(farEnd.ram)
        farEnd.start()
        let interruption = try Interruption()
        _ = try control(server, interruption)
        let remote = try GDBRemote.connect(
            to: .tcp(host: "127.0.0.1", port: server.gdbPort), within: .seconds(60),
            replyTimeout: .seconds(60), interruption: interruption)
        let memory = try GDBTargetMemory(remote, trying: UInt64(TargetRAM.base))
        #expect(!memory.haltsCore)
        let channel = try RTTChannel(
            memory, Self.settings, locator: RTTLocator(Self.settings), within: .seconds(60),
            interruption: interruption)
        #expect(!farEnd.ram.isHalted)
        farEnd.send(Array("hello".utf8))
        #expect(try channel.read(atMost: 9, within: .seconds(60)) == Array("hello".utf8))
        try channel.write(Array("hi".utf8), within: .seconds(60))
        #expect(farEnd.receive(atMost: 9, within: .seconds(60)) == Array("hi".utf8))
        #expect(!farEnd.ram.isHalted)
        remote.close()
        #expect(!farEnd.ram.isHalted)
    }

    /// What no OpenOCD does.
    @Test(arguments: [
        ("silence", ErrorCode.probeUnavailable), ("an end", .probeUnavailable),
        ("text without end", .probeProtocol), ("something else", .probeProtocol),
    ])
    func aServerThatIsNoOpenOCD(_ answer: String, _ code: ErrorCode) throws {
        let (near, far) = try socketPair()
        defer { close(far) }
        switch answer {
        case "an end": shutdown(far, Int32(SHUT_RDWR))
        case "something else": #expect(write(far, "HTTP/1.1\u{1A}", 9) == 9)
        case "text without end":
            onThread {
                let text = [UInt8](repeating: 0x41, count: 4096)
                while send(far, text, text.count, Int32(MSG_NOSIGNAL)) > 0 {}
            }
        default: break
        }
        let stream = try StreamChannel(
            descriptor: near, name: "server", interruption: Interruption())
        let control = OpenOCDControl(
            stream, replyTimeout: answer == "silence" ? .milliseconds(200) : .seconds(60))
        expectError(code) { () throws(ProvisioningError) in try control.run("version") }
        control.close()
    }
}

/// The device's end of rings in a chip's RAM.
private final class RingEnd: ChannelFarEnd {
    private struct Waiting {
        var toHost: [UInt8] = []
        var fromHost: [UInt8] = []
        /// A device that nobody asks takes nothing.
        var isReading = false
    }
    private let waiting = Mutex(Waiting())
    private let hasStarted = Mutex(false)
    private static let firmware = RingFirmware()

    /// Made when it is first asked for: it needs this object.
    private let storage = Mutex<TargetRAM?>(nil)

    var ram: TargetRAM {
        storage.withLock { storage in
            if let storage { return storage }
            let ram = TargetRAM { [weak self] in self?.run(&$0) }
            storage = ram
            return ram
        }
    }

    func start() {
        ram.edit { Self.firmware.start(&$0) }
        hasStarted.withLock { $0 = true }
    }

    private func run(_ bytes: inout [UInt8]) {
        guard hasStarted.withLock({ $0 }) else { return }
        waiting.withLock { waiting in
            let count = Self.firmware.send(waiting.toHost, &bytes)
            waiting.toHost.removeFirst(count)
            if waiting.isReading, waiting.fromHost.count < 4096 {
                waiting.fromHost += Self.firmware.received(&bytes)
            }
        }
    }

    func send(_ bytes: [UInt8]) { waiting.withLock { $0.toHost += bytes } }

    func receive(atMost limit: Int, within timeout: Duration) -> [UInt8] {
        let end = ContinuousClock.now + timeout
        repeat {
            let bytes = waiting.withLock { waiting in
                waiting.isReading = true
                defer { waiting.fromHost.removeFirst(min(limit, waiting.fromHost.count)) }
                return Array(waiting.fromHost.prefix(limit))
            }
            if !bytes.isEmpty { return bytes }
            usleep(200)
        } while ContinuousClock.now < end
        return []
    }

    func leave() {}
}
