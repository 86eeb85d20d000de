/// A part of a chip's address space.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    public let address: UInt64
    /// Bytes.
    public let length: Int

    /// Nil if it is empty, or leaves the address space.
    public init?(address: UInt64, length: Int) {
        guard length > 0, !address.addingReportingOverflow(UInt64(length)).overflow else {
            return nil
        }
        self.address = address
        self.length = length
    }

    public var description: String { "\(length) bytes at \(address.addressNotation)" }
}

extension AddressRange {
    /// Whether all of `count` bytes at `address` are in it.
    package func contains(_ address: UInt64, _ count: Int) -> Bool {
        guard address >= self.address, count >= 0, count <= length else { return false }
        return address - self.address <= UInt64(length - count)
    }

    package func overlaps(_ other: AddressRange) -> Bool {
        address < other.address + UInt64(other.length) && other.address < address + UInt64(length)
    }
}

extension UInt64 {
    /// An address as messages and tools write it: `0x` and at least one digit.
    var addressNotation: String { "0x" + String(self, radix: 16) }
}
