import Channels
import Provisioning
import Testing

/// The firmware fits the smallest chip that it is for: nRF51822, 256 KiB of flash, 16 KiB of RAM.
@Suite struct FootprintTests {
    /// Bytes below the record store: linker.ld of the board.
    private static let flash = 0x3B000
    private static let ram: UInt64 = 16 * 1024
    /// What mbedTLS needs at the least, and what the deepest call chain may take: `boards/microbit`.
    private static let heapAndStack: UInt64 = 6 * 1024 + 4608

    @Test func microbitKeepsItsCeiling() throws {
        let image = FirmwareImage(path: try Firmware.microbit())
        let footprint = try ELFImage(contentsOf: image).footprint()
        // Code that grows by more than a tenth deserves a look, long before the chip is full.
        #expect(footprint.text <= 47_000, "\(footprint)")
        #expect(footprint.text + footprint.data <= Self.flash)
        // Of which the channels through the probe are about 1,400.
        #expect(footprint.data + footprint.bss <= 4_400, "\(footprint)")
        #expect(footprint.data + footprint.bss + Self.heapAndStack <= Self.ram)
    }
}
