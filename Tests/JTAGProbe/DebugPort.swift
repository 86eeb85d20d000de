/// What a memory access port reaches.
protocol BusMemory: AnyObject {
    /// The aligned word at `address`; nil where there is none.
    func word(at address: UInt32) -> UInt32?
    /// `count` bytes of `word`, from the one that `address` names on.
    func write(_ word: UInt32, at address: UInt32, count: UInt32)
}

/// A debug port and its one access port, which leads to memory. ADIv5 chapters B2 and C2.
struct DebugPort {
    /// Of the last read.
    private(set) var result: UInt32 = 0
    private var control: UInt32 = 0
    private var select: UInt32 = 0
    private var statusWord: UInt32 = Self.enabled
    private var transferAddress: UInt32 = 0

    /// DeviceEn, "the AP may be used".
    private static let enabled: UInt32 = 1 << 6
    /// An AHB access port, as in a Cortex-M4.
    private static let identification: UInt32 = 0x2477_0011
    private static let requests: UInt32 = 1 << 28 | 1 << 30
    private static let writableControl: UInt32 = 0x5000_0F23

    mutating func access(
        isAccessPort: Bool, address: UInt32, value: UInt32?, _ memory: some BusMemory
    ) {
        if isAccessPort {
            accessAP(select & 0xF0 | address, value, memory)
        } else {
            accessDP(address, value)
        }
    }

    private mutating func accessDP(_ address: UInt32, _ value: UInt32?) {
        switch (address, value) {
        case (0x4, let value?): control = value & Self.writableControl
        // Each power-up request has its acknowledgement beside it.
        case (0x4, nil): result = control | (control & Self.requests) << 1
        case (0x8, let value?): select = value
        case (0x8, nil): result = select
        // RDBUFF: what the access before has read.
        case (0xC, nil): break
        case (_, nil): result = 0
        default: break
        }
    }

    private mutating func accessAP(_ address: UInt32, _ value: UInt32?, _ memory: some BusMemory) {
        // There is one access port, number 0.
        guard select >> 24 == 0 else { return result = 0 }
        switch (address, value) {
        case (0x00, let value?): statusWord = value & 0xFF00_0017 | Self.enabled
        case (0x00, nil): result = statusWord
        case (0x04, let value?): transferAddress = value
        case (0x04, nil): result = transferAddress
        case (0x0C, let value?):
            memory.write(value, at: transferAddress, count: size)
            advance()
        case (0x0C, nil):
            result = memory.word(at: transferAddress & ~3) ?? 0
            advance()
        case (0x10...0x1C, let value?):
            memory.write(value, at: transferAddress & ~15 | (address & 15), count: 4)
        case (0x10...0x1C, nil):
            result = memory.word(at: transferAddress & ~15 | (address & 15)) ?? 0
        case (0xFC, nil): result = Self.identification
        // BASE: there is no ROM table.
        case (0xF8, nil): result = 0xFFFF_FFFF
        case (_, nil): result = 0
        default: break
        }
    }

    /// Bytes of an access: CSW.Size.
    private var size: UInt32 { 1 << min(statusWord & 7, 2) }

    /// CSW.AddrInc. Packed transfers are not taken, and reading CSW back says so.
    private mutating func advance() {
        if statusWord & 0x30 == 0x10 { transferAddress &+= size }
    }
}
