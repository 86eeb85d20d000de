import Channels
import Foundation
import Platforms
import Provisioning
import Testing

/// What the tests of emulators share.
enum EmulatedBoard {
    static func start(
        _ platform: String, in folder: TemporaryFolder, image: String? = nil,
        instance: String? = nil, interruption: Interruption? = nil
    ) throws -> Emulator {
        try Emulator.start(
            PlatformCatalogue().platform(named: platform), image: image,
            stateDirectory: folder.path, instance: instance,
            interruption: interruption ?? Interruption())
    }

    /// A program for a Cortex-M0: a vector table and `loop: b loop`.
    static let endlessLoop: [UInt8] = [0x00, 0x40, 0x00, 0x20, 0x09, 0, 0, 0, 0xFE, 0xE7]

    /// A program for the nRF51822 that says "R" when it is ready, and then sends back each byte of its
    /// serial port plus one. Until it is ready, QEMU takes nothing.
    ///
    /// nRF51 Series Reference Manual §29: ENABLE 0x500, STARTRX 0, STARTTX 8, RXDRDY 0x108, RXD 0x518,
    /// TXD 0x51C.
    static let increment: [UInt8] = {
        let code: [UInt16] = [
            0x480A,  // 08 ldr r0, [pc, #40] = 0x34
            0x490B,  // 0A ldr r1, [pc, #44] = 0x38
            0x1841,  // 0C adds r1, r0, r1
            0x2204,  // 0E movs r2, #4
            0x600A,  // 10 str r2, [r1]
            0x2201,  // 12 movs r2, #1
            0x6002,  // 14 str r2, [r0]
            0x6082,  // 16 str r2, [r0, #8]
            0x4B08,  // 18 ldr r3, [pc, #32] = 0x3C
            0x4C09,  // 1A ldr r4, [pc, #36] = 0x40
            0x4D09,  // 1C ldr r5, [pc, #36] = 0x44
            0x2600,  // 1E movs r6, #0
            0x2752,  // 20 movs r7, #'R'
            0x5147,  // 22 str r7, [r0, r5]
            0x58C7,  // 24 ldr r7, [r0, r3]
            0x2F00,  // 26 cmp r7, #0
            0xD0FC,  // 28 beq 24
            0x50C6,  // 2A str r6, [r0, r3]
            0x5907,  // 2C ldr r7, [r0, r4]
            0x3701,  // 2E adds r7, #1
            0x5147,  // 30 str r7, [r0, r5]
            0xE7F7,  // 32 b 24
        ]
        let literals: [UInt32] = [0x4000_2000, 0x500, 0x108, 0x518, 0x51C]
        var bytes: [UInt8] = [0x00, 0x40, 0x00, 0x20, 0x09, 0, 0, 0]
        for half in code { withUnsafeBytes(of: half.littleEndian) { bytes += $0 } }
        for word in literals { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        return bytes
    }()

    static func isAlive(_ processID: Int32) -> Bool { kill(processID, 0) == 0 }

    /// Reads from the serial port until `count` bytes came or a minute has passed: nobody expects fewer.
    static func read(_ count: Int, from channel: some Channel) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while bytes.count < count, ContinuousClock.now < deadline {
            bytes += try channel.read(atMost: count - bytes.count, within: .milliseconds(100))
        }
        return bytes
    }

    static func open(_ path: String) throws -> StreamChannel {
        let descriptor = Foundation.open(path, O_RDWR | O_NOCTTY)
        #expect(descriptor >= 0)
        return try StreamChannel(
            descriptor: descriptor, name: path, interruption: Interruption())
    }
}

func failure<Result>(_ body: () throws -> Result) -> ProvisioningError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? ProvisioningError
    }
}
