/// A range of a device's address space.
public struct MemoryRegion: Sendable, Hashable, CustomStringConvertible {
    public let address: UInt64
    /// Bytes, at least 1.
    public let length: Int

    public init(address: UInt64, length: Int) {
        self.address = address
        self.length = length
    }

    /// One past the last address.
    var end: UInt64 { address + UInt64(length) }

    func overlaps(_ other: MemoryRegion) -> Bool {
        address < other.end && other.address < end
    }

    /// `"0x3b000+0x4000"`: also the name of the file that keeps an emulated board's region.
    public var description: String {
        "0x\(String(address, radix: 16))+0x\(String(length, radix: 16))"
    }
}
