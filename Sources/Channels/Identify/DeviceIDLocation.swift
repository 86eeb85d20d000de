/// Where a chip's unique ID lies in its memory, and in which order it is told.
public struct DeviceIDLocation: Sendable, Hashable {
    /// How the bytes that were read, in the order of their addresses, become the ID.
    public enum Order: String, CaseIterable, Sendable, Hashable {
        /// As they are: little-endian words one after the other.
        case memory
        /// Each 32-bit word with its most significant byte first.
        case bigEndianWords = "big-endian-words"
        /// The last byte first: one big little-endian number, as people write it.
        case reversed
    }

    /// What is read, in this order. Never empty.
    public let regions: [AddressRange]
    /// Bytes of the ID, 1 to 64: so many of what was read are it.
    public let length: Int
    public let order: Order
    public let width: GDBRemote.AccessWidth

    /// One region: the ID and nothing else.
    public init(
        _ region: AddressRange, order: Order = .memory, width: GDBRemote.AccessWidth = .any
    ) {
        regions = [region]
        length = region.length
        self.order = order
        self.width = width
    }

    /// Words that may lie apart.
    ///
    /// - Parameters:
    ///   - words: their addresses, multiples of 4; words that follow each other become one region.
    ///   - length: nil: all bytes of them.
    /// - Returns: nil if there are none, one is no such address, or they have fewer bytes than `length`.
    public init?(words: [UInt64], length: Int? = nil, order: Order = .memory) {
        var regions: [AddressRange] = []
        for address in words {
            guard address.isMultiple(of: 4), let word = AddressRange(address: address, length: 4)
            else { return nil }
            if let last = regions.last, last.address + UInt64(last.length) == address,
                let longer = AddressRange(address: last.address, length: last.length + 4)
            {
                regions[regions.count - 1] = longer
            } else {
                regions.append(word)
            }
        }
        let length = length ?? 4 * words.count
        guard (1...64).contains(length), length <= 4 * words.count else { return nil }
        self.regions = regions
        self.length = length
        self.order = order
        width = .word
    }

    /// The ID, from the bytes of all regions.
    public func id(from bytes: [UInt8]) -> [UInt8] {
        let own = Array(bytes.prefix(length))
        switch order {
        case .memory: return own
        case .reversed: return own.reversed()
        case .bigEndianWords:
            return stride(from: 0, to: own.count, by: 4).flatMap { start in
                own[start..<min(start + 4, own.count)].reversed()
            }
        }
    }
}

extension DeviceIDLocation: CustomStringConvertible {
    /// `8 bytes at 0x10000060`; `12 bytes at 0x1ff80050 and 0x1ff80064, reversed`
    public var description: String {
        let places = regions.map { $0.address.addressNotation }.joined(separator: " and ")
        return "\(length) bytes at \(places)" + (order == .memory ? "" : ", \(order.rawValue)")
    }
}
