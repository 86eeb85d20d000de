import Attestation
import Foundation
import JTAGProbe
import Provisioning
import Testing

@testable import Channels

/// Flashing and RTT on an STM32F405 in QEMU, whose other peripherals it does not have.
@Suite struct ProbeFirmwareTests {
    private let board: EmulatedBoard
    private let folder: TemporaryFolder
    private let interruption: Interruption
    private let image: FirmwareImage
    private let settings: RTTSettings

    init() throws {
        board = try EmulatedBoard("netduinoplus2")
        folder = try TemporaryFolder()
        interruption = try Interruption()
        image = FirmwareImage(path: "\(folder.path)/firmware.elf")
        let ram = try #require(AddressRange(address: 0x2000_0000, length: 128 << 10))
        settings = RTTSettings(memory: [ram], up: 0, down: 0, log: 1)
        try build()
    }

    /// With the compiler that Swift brings.
    private func build() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.currentDirectoryURL = URL(filePath: root)
        compiler.arguments = [
            "clang", "--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=soft",
            "-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic",
            "-nostdlib", "-fuse-ld=lld", "-Wl,-T,Tests/ProbeFirmware/stm32f405.ld",
            "-Wl,-e,reset_handler", "-ISources/DeviceProvisioning/include",
            "-isystem", "Templates/embedded-swift/Sources/Board/libc",
            "Tests/ProbeFirmware/main.c", "Sources/DeviceProvisioning/rtt.c", "-o", image.path,
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
    }

    private func flasher() -> GDBFlasher {
        GDBFlasher(
            .init(
                endpoint: board.endpoint, rtt: settings, connectTimeout: .seconds(20),
                replyTimeout: .seconds(20), waitsUntilListening: true),
            interruption: interruption)
    }

    private func open(_ flasher: GDBFlasher) throws -> RTTChannel {
        try flasher.openRTT(settings, within: .seconds(20))
    }

    private func echo(_ text: String, _ channel: RTTChannel) throws {
        let bytes = Array(text.utf8)
        try channel.write(bytes, within: .seconds(20))
        #expect(try read(bytes.count, channel) == bytes)
    }

    private func read(_ count: Int, _ channel: RTTChannel) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try channel.read(atMost: count - bytes.count, within: .seconds(20))
            try #require(!more.isEmpty, "\(bytes.count) of \(count) bytes came")
            bytes += more
        }
        return bytes
    }

    /// Has the firmware begin anew, and waits until it answers.
    ///
    /// - Parameter request: what asks for it.
    private func restart(_ request: String, _ channel: RTTChannel) throws {
        try channel.write(Array(request.utf8), within: .seconds(20))
        // What is written while it starts may go with the old rings.
        var isBack = false
        for _ in 0..<200 where !isBack {
            try channel.write(Array("?".utf8), within: .seconds(20))
            isBack = try !channel.read(atMost: 99, within: .milliseconds(100)).isEmpty
        }
        #expect(isBack)
        while try !channel.read(atMost: 99, within: .milliseconds(100)).isEmpty {}
    }

    @Test func answersThroughTheProbe() throws {
        let flasher = flasher()
        let receipt = try flasher.flash(image, erasing: false)
        #expect(receipt.isVerified)
        let channel = try open(flasher)
        try echo("hello\n", channel)
        try echo(String(repeating: "0123456789abcdef", count: 200), channel)
    }

    /// 256 KiB in a ring of 64, which the firmware fills as fast as it can.
    @Test func everyByteOfALongLogComes() throws {
        let flasher = flasher()
        _ = try flasher.flash(image, erasing: false)
        let channel = try open(flasher)
        try channel.write(Array("L".utf8), within: .seconds(20))
        let log = try read(256 << 10, channel)
        let isWhole = log.enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: $0) }
        #expect(isWhole)
        try echo("and then\n", channel)
    }

    /// QEMU's reset keeps RAM, and with it what the rings hold.
    @Test func goesOnAfterTheCoreResetsItself() throws {
        let flasher = flasher()
        _ = try flasher.flash(image, erasing: false)
        let channel = try open(flasher)
        for _ in 0..<5 {
            try echo("before\n", channel)
            try restart("R", channel)
        }
    }

    /// A second run finds the rings of the first one in RAM, at the same place, before its own exist.
    @Test func flashingForgetsWhatIsLeft() throws {
        let first = flasher()
        _ = try first.flash(image, erasing: false)
        let old = try open(first)
        // Unread, it stays in the ring.
        try old.write(Array("left over".utf8), within: .seconds(20))
        first.close()
        let second = flasher()
        _ = try second.flash(image, erasing: false)
        let channel = try open(second)
        try echo("new\n", channel)
        second.close()
        // Without an image, by looking through RAM.
        let third = flasher()
        try echo("found\n", open(third))
    }

    /// Firmware without RTT, after firmware that had it: what that left in RAM is nobody's.
    @Test func whatEarlierFirmwareLeftIsNotUsed() throws {
        let first = flasher()
        _ = try first.flash(image, erasing: false)
        _ = try open(first)
        // Stack pointer, entry, and a branch to itself.
        let program: [UInt8] = [0, 0, 2, 0x20, 9, 0, 0, 8, 0xFE, 0xE7]
        let idle = ELFFile(segments: [.init(address: 0x0800_0000, bytes: program)])
        let other = FirmwareImage(path: try folder.file("idle.elf", idle.bytes))
        _ = try first.flash(other, erasing: false)
        expectError(.rttNotFound) { () throws(ProvisioningError) in
            try first.openRTT(settings, within: .milliseconds(100))
        }
    }

    /// The block leaves with the firmware that had it, and other firmware has its own elsewhere. No image says where.
    @Test func followsABlockThatMoves() throws {
        let first = flasher()
        _ = try first.flash(image, erasing: false)
        first.close()
        let executable = try ELFImage(image.readBytes())
        let places = try ["_SEGGER_RTT", "moved_block"].map { name in
            try #require(try executable.symbol(named: name)).address
        }
        let flasher = flasher()
        let channel = try open(flasher)
        for round in 0..<4 {
            try echo("round \(round)\n", channel)
            let remote = try flasher.connected()
            let found = try places.map { address in
                try remote.readMemory(at: address, count: RTTControlBlock.identifier.count)
                    == RTTControlBlock.identifier
            }
            #expect(found == (round.isMultiple(of: 2) ? [true, false] : [false, true]))
            try restart("E", channel)
        }
    }

    /// A block beside the firmware's own, in RAM that no flashing looks at: only the image tells which it is.
    @Test func theSymbolSettlesWhichBlockItIs() throws {
        let flasher = flasher()
        _ = try flasher.flash(image, erasing: false)
        var ram = [UInt8](repeating: 0, count: 128 << 10)
        RingFirmware(block: 0x18000).start(&ram)
        try flasher.connected().writeMemory(at: 0x2001_8000, ram[0x18000..<0x18400])
        try echo("hello\n", open(flasher))
        flasher.close()
        // Who searches finds two, of which none moves.
        let other = self.flasher()
        let memory = try GDBTargetMemory(other.connected(), trying: 0x2000_0000)
        var search = RTTLocator(settings)
        for _ in 0..<2 { #expect(try search.find(in: memory) == nil) }
        let reason = search.failure(after: .seconds(1), in: memory).reason
        #expect(reason.contains("and 0x20018000, and none of them moves"), "\(reason)")
    }

    /// What a debugger looks for in RAM must not be found in the image: not in flash, nor in a copy of it.
    @Test func theImageDoesNotContainTheID() throws {
        let bytes = Data(try image.readBytes())
        #expect(bytes.firstRange(of: Data("SEGGER RTT".utf8)) == nil)
        #expect(bytes.firstRange(of: Data("_SEGGER_RTT".utf8)) != nil, "it has no symbol")
    }

    /// Another debugger's reading of the block that the firmware has made: OpenOCD's.
    @Test(.enabled(if: OpenOCD.isInstalled, "there is no openocd"))
    func openOCDReadsTheSameChannels() throws {
        let flasher = flasher()
        _ = try flasher.flash(image, erasing: false)
        try echo("ready\n", open(flasher))
        let remote = try flasher.connected()
        let ram = try remote.readMemory(at: UInt64(TargetRAM.base), count: 128 << 10)
        let flash = try remote.readMemory(at: 0x0800_0000, count: 16 << 10)
        let chip = TargetRAM(size: ram.count, flash: flash)
        chip.edit { $0 = ram }
        let server = try OpenOCD(chip)
        let control = OpenOCDControl(
            try server.connect(interruption), replyTimeout: .seconds(60))
        try control.require("rtt setup 0x20000000 \(ram.count) \"SEGGER RTT\"")
        try control.require("rtt start")
        let list = try control.require("rtt channellist")
        for channel in [
            "name Answers size 300 ", "name Log size 65536 ", "name Requests size 100 ",
        ] {
            #expect(list.contains(channel), "\(list)")
        }
    }
}
