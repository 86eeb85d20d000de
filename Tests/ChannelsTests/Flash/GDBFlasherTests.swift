import Attestation
import Foundation
import Provisioning
import Synchronization
import Testing

@testable import Channels

/// An emulated board without firmware, stopped, as a GDB server.
final class EmulatedBoard {
    let endpoint: ProbeEndpoint
    private let process: ChildProcess
    private let socket: String

    init(_ machine: String = "microbit") throws {
        socket = "/tmp/gdb-\(UUID().uuidString.prefix(8)).sock"
        endpoint = .unix(path: socket)
        process = try ChildProcess(
            Command([
                "qemu-system-arm", "-M", machine, "-S", "-display", "none", "-monitor", "none",
                "-serial", "null", "-gdb", "unix:\(socket),server=on,wait=off",
            ]), failure: .emulatorFailed)
    }

    deinit {
        process.terminate()
        unlink(socket)
    }

    func connect(_ interruption: Interruption) throws -> GDBRemote {
        try GDBRemote.connect(
            to: endpoint, within: .seconds(20), replyTimeout: .seconds(20), untilListening: true,
            interruption: interruption)
    }
}

@Suite struct GDBFlasherTests {
    private let board: EmulatedBoard
    private let folder: TemporaryFolder
    private let interruption: Interruption

    init() throws {
        board = try EmulatedBoard()
        folder = try TemporaryFolder()
        interruption = try Interruption()
    }

    private static let counter: UInt64 = 0x2000_0000

    /// Counts up in the first word of RAM.
    private static let program: [UInt8] = [
        0x00, 0x40, 0x00, 0x20, 0x09, 0x00, 0x00, 0x00,  // stack pointer, entry 8
        0x02, 0x48,  // ldr r0, =0x20000000
        0x00, 0x21,  // movs r1, #0
        0x01, 0x31,  // adds r1, #1
        0x01, 0x60,  // str r1, [r0]
        0xfc, 0xe7,  // b .-4
        0x00, 0xbf, 0x00, 0x00, 0x00, 0x20,
    ]

    private func image(_ segments: [ELFFile.Segment]) throws -> FirmwareImage {
        // A name of its own: a test may make several.
        let name = "firmware ü \(UUID().uuidString.prefix(8)).elf"
        return FirmwareImage(path: try folder.file(name, ELFFile(segments: segments).bytes))
    }

    private func flasher(
        erase: [AddressRange] = [], deviceID: AddressRange? = nil,
        progress: GDBFlasher.ProgressHandler? = nil
    ) -> GDBFlasher {
        GDBFlasher(
            .init(
                endpoint: board.endpoint, eraseRegions: erase,
                deviceID: deviceID.map { DeviceIDLocation($0, width: .word) },
                connectTimeout: .seconds(20), replyTimeout: .seconds(20),
                waitsUntilListening: true),
            interruption: interruption, progress: progress)
    }

    private func count(_ remote: GDBRemote) throws -> UInt32 {
        try remote.readMemory(at: Self.counter, count: 4).reversed().reduce(0) {
            $0 << 8 | UInt32($1)
        }
    }

    /// Connects, looks, and leaves, until it has run in between.
    private func expectRunning() throws {
        let deadline = Deadline(within: .seconds(20))
        var first: UInt32?
        while !deadline.isPast {
            let remote = try board.connect(interruption)
            let now = try count(remote)
            remote.close()
            if let first, first != now { return }
            first = first ?? now
            usleep(10_000)
        }
        Issue.record("the core does not run: it counted to \(first ?? 0)")
    }

    @Test func loadsVerifiesAndRuns() throws {
        let data = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let image = try image([
            .init(address: 0, bytes: Self.program), .init(address: 0x1000, bytes: data),
        ])
        var steps: [FlashProgress] = []
        let flasher = flasher { steps.append($0) }
        let receipt = try flasher.flash(image, erasing: false)
        flasher.close()
        #expect(receipt.byteCount == data.count + Self.program.count)
        #expect(receipt.isVerified && receipt.digest?.count == 32)
        for phase in [FlashProgress.Phase.write, .verify] {
            let last = try #require(steps.last { $0.phase == phase })
            #expect(last.done == receipt.byteCount && last.total == receipt.byteCount)
            #expect("\(last)" == "\(phase.rawValue), 100 %")
        }
        let texts = Set(steps.map { "\($0)" })
        #expect(texts.contains("writing, 100 %") && texts.contains("verifying, 100 %"))
        #expect(steps.count > 10)
        try expectRunning()
        let remote = try board.connect(interruption)
        #expect(remote.wasRunningOnArrival)
        #expect(try remote.readMemory(at: 0x1000, count: data.count) == data)
    }

    @Test func haltsAndContinues() throws {
        let flasher = flasher()
        _ = try flasher.flash(image([.init(address: 0, bytes: Self.program)]), erasing: false)
        flasher.close()
        let remote = try board.connect(interruption)
        for _ in 0..<20 {
            let halted = try count(remote)
            #expect(try count(remote) == halted)
            let deadline = Deadline(within: .seconds(20))
            repeat {
                try remote.resume()
                usleep(2000)
            } while try count(remote) == halted && !deadline.isPast
            #expect(try count(remote) != halted)
        }
        try remote.reset(with: "system_reset")
        #expect(try remote.monitor("info status").contains("paused"))
        remote.close()
        try expectRunning()
    }

    @Test func leavesTheCoreRunningAfterAnInterruption() throws {
        let flasher = flasher()
        _ = try flasher.flash(image([.init(address: 0, bytes: Self.program)]), erasing: false)
        flasher.close()
        let stop = try Interruption()
        var remote: GDBRemote? = try board.connect(stop)
        _ = try remote?.readMemory(at: 0, count: 4)
        stop.interrupt()
        expectError(.interrupted) { () throws(ProvisioningError) in
            try remote?.readMemory(at: 0, count: 4)
        }
        remote = nil
        try expectRunning()
    }

    @Test func namesWhatReadsBackDifferently() throws {
        // A peripheral's: what is written there is not what is read, always 1.
        let image = try image([
            .init(address: 0, bytes: Self.program), .init(address: 0x4000_0f00, bytes: [0xa5]),
        ])
        let error = expectError(.flashMismatch) { () throws(ProvisioningError) in
            try flasher().flash(image, erasing: false)
        }
        #expect(
            error?.reason == "0x40000f00 reads back as 0x01, the image is 0xa5",
            "\(String(describing: error))")
    }

    @Test func failsOutsideMemory() throws {
        let image = try image([.init(address: 0x9000_0000, bytes: [1, 2, 3, 4])])
        let error = expectError(.flashFailed) { () throws(ProvisioningError) in
            try flasher().flash(image, erasing: false)
        }
        #expect(error?.reason.contains("0x90000000") == true, "\(String(describing: error))")
    }

    @Test func erasesWhenAsked() throws {
        let region = try #require(AddressRange(address: 0x3_b000, length: 1024))
        let image = try image([.init(address: 0, bytes: Self.program)])
        let flasher = flasher(erase: [region])
        // A core without a program locks up once it is let go, and the emulator ends.
        _ = try flasher.flash(image, erasing: false)
        flasher.close()
        let remote = try board.connect(interruption)
        try remote.writeMemory(at: region.address, [UInt8](repeating: 0, count: region.length))
        remote.close()
        _ = try flasher.flash(image, erasing: false)
        flasher.close()
        #expect(try memory(region) == [UInt8](repeating: 0, count: region.length))
        _ = try flasher.flash(image, erasing: true)
        flasher.close()
        #expect(try memory(region) == [UInt8](repeating: 0xff, count: region.length))

        expectError(.flashFailed) { () throws(ProvisioningError) in
            try self.flasher().flash(image, erasing: true)
        }
    }

    private func memory(_ region: AddressRange) throws -> [UInt8] {
        let remote = try board.connect(interruption)
        defer { remote.close() }
        return try remote.readMemory(at: region.address, count: region.length)
    }

    @Test func readsTheDeviceIDOverTheSameConnection() throws {
        // nRF51 Series Reference Manual: FICR.DEVICEID[0] and [1].
        let flasher = flasher(deviceID: AddressRange(address: 0x1000_0060, length: 8))
        let image = try image([.init(address: 0, bytes: Self.program)])
        _ = try flasher.flash(image, erasing: false)
        let id = try flasher.readDeviceID()
        #expect(id.bytes.count == 8)
        flasher.close()
        #expect(try flasher.readDeviceID() == id)
        flasher.close()
        try expectRunning()
        expectError(.probeUnavailable) { () throws(ProvisioningError) in
            try self.flasher().readDeviceID()
        }
    }

    @Test func refusesWhatIsNoImage() throws {
        let text = FirmwareImage(path: try folder.file("text", Array("hello".utf8)))
        expectError(.imageInvalid) { () throws(ProvisioningError) in
            try flasher().flash(text, erasing: false)
        }
    }
}
