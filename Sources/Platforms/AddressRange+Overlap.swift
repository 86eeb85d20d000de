import Channels

extension AddressRange {
    func overlaps(_ other: AddressRange) -> Bool {
        address < other.address + UInt64(other.length) && other.address < address + UInt64(length)
    }
}
