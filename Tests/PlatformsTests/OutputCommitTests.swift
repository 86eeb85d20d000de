import Channels
import Foundation
import Platforms
import Provisioning
import Testing

/// What a board in QEMU has said rests on what it stored: that must not be lost by kill -9.
@Suite struct OutputCommitTests {
    /// A program for the nRF51822 that says "R", and then, for each byte of its serial port, stores it in the
    /// next word from 0x3B000 and sends it back.
    ///
    /// nRF51 Series Reference Manual §29, UART: ENABLE 0x500, STARTRX 0, STARTTX 8, RXDRDY 0x108, RXD
    /// 0x518, TXD 0x51C; §6, NVMC: CONFIG 0x4001E504.
    private static let diary: [UInt8] = {
        let code: [UInt16] = [
            0x480C,  // 08 ldr r0, =0x40002000
            0x490D,  // 0A ldr r1, =0x500
            0x2204,  // 0C movs r2, #4
            0x5042,  // 0E str r2, [r0, r1]
            0x2201,  // 10 movs r2, #1
            0x6002,  // 12 str r2, [r0]
            0x6082,  // 14 str r2, [r0, #8]
            0x490B,  // 16 ldr r1, =0x4001E504
            0x600A,  // 18 str r2, [r1]
            0x490B,  // 1A ldr r1, =0x3B000
            0x4B0B,  // 1C ldr r3, =0x108
            0x4C0C,  // 1E ldr r4, =0x518
            0x4D0C,  // 20 ldr r5, =0x51C
            0x2600,  // 22 movs r6, #0
            0x2752,  // 24 movs r7, #'R'
            0x5147,  // 26 str r7, [r0, r5]
            0x58C7,  // 28 ldr r7, [r0, r3]
            0x2F00,  // 2A cmp r7, #0
            0xD0FC,  // 2C beq 28
            0x50C6,  // 2E str r6, [r0, r3]
            0x5907,  // 30 ldr r7, [r0, r4]
            0x600F,  // 32 str r7, [r1]
            0x3104,  // 34 adds r1, #4
            0x5147,  // 36 str r7, [r0, r5]
            0xE7F6,  // 38 b 28
            0x0000,  // 3A
        ]
        let literals: [UInt32] = [
            0x4000_2000, 0x500, 0x4001_E504, 0x3_B000, 0x108, 0x518, 0x51C,
        ]
        var bytes: [UInt8] = [0x00, 0x40, 0x00, 0x20, 0x09, 0, 0, 0]
        for half in code { withUnsafeBytes(of: half.littleEndian) { bytes += $0 } }
        for word in literals { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        return bytes
    }()

    @Test func whatIsHeardIsKept() throws {
        let folder = try TemporaryFolder()
        let emulator = try EmulatedBoard.start("microbit-qemu", in: folder)
        let debugger = try GDBRemote.connect(
            to: #require(emulator.probe), interruption: Interruption())
        try debugger.writeMemory(at: 0, Self.diary)
        // The controller only clears bits.
        try debugger.writeMemory(at: 0x3B000, [UInt8](repeating: 0xFF, count: 128))
        try debugger.reset(with: "system_reset")
        debugger.close()
        let port = try EmulatedBoard.open(emulator.uart)
        #expect(try EmulatedBoard.read(1, from: port) == Array("R".utf8))
        for entry in UInt8(1)...20 {
            try port.write([entry], within: .seconds(1))
            #expect(try EmulatedBoard.read(1, from: port) == [entry])
            let kept = try folder.read("emulated/microbit-qemu-1/memory-0.bin")
            let word = 0x3B000 + 4 * (Int(entry) - 1)
            #expect(Array(kept[word..<word + 4]) == [entry, 0, 0, 0])
        }
        kill(emulator.processID, SIGKILL)
        // Who waits for an answer learns that there will be none.
        #expect(failure { try port.read(atMost: 1, within: .seconds(20)) }?.code == .channelClosed)
        try emulator.stop()

        let again = try EmulatedBoard.start("microbit-qemu", in: folder)
        let second = try GDBRemote.connect(
            to: #require(again.probe), interruption: Interruption())
        #expect(
            try second.readMemory(at: 0x3B04C, count: 8) == [20, 0, 0, 0] + [255, 255, 255, 255])
        second.close()
        try again.stop()
    }

    /// As kill -9 of its owner leaves it, and in a folder whose path no socket's address takes.
    @Test func staleSocketIsReplaced() throws {
        let folder = try TemporaryFolder()
        let name = String(repeating: "a-long-name", count: 12)
        try folder.write("stale", to: "\(name)/emulated/microbit-qemu-1/gdb")
        let emulator = try Emulator.start(
            PlatformCatalogue().platform(named: "microbit-qemu"),
            stateDirectory: "\(folder.path)/\(name)", interruption: Interruption())
        let debugger = try GDBRemote.connect(
            to: #require(emulator.probe), interruption: Interruption())
        #expect(try debugger.readMemory(at: 0, count: 8) == [0, 4, 0, 0x20, 9, 0, 0, 0])
        debugger.close()
        try emulator.stop()
        let left = try FileManager.default.contentsOfDirectory(
            atPath: "\(folder.path)/\(name)/emulated/microbit-qemu-1")
        #expect(left.sorted() == ["device-id", "lock", "memory-0.bin"])
    }
}
