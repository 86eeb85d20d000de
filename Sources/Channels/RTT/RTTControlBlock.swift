/// What a target says of its RTT channels: the block that debuggers look for in its RAM.
///
/// The layout is the public one that probe-rs (`rtt.rs`), OpenOCD (`rtt.c`) and pyOCD (`rtt.py`) read:
/// an ID of 16 bytes, the numbers of up (to the host) and down channels, and one descriptor for each.
/// Whatever a target says, a value of this type has its rings inside RAM and its offsets inside the rings.
package struct RTTControlBlock: Sendable, Hashable {
    /// One channel: a ring in RAM that holds one byte less than its size.
    package struct Ring: Sendable, Hashable {
        package let writeOffsetAddress, readOffsetAddress: UInt64
        /// Of the ring's first byte.
        package let buffer: UInt64
        /// Bytes, at least 2.
        package let size: Int
        package var writeOffset: Int
        package var readOffset: Int
    }

    /// A target's pointers.
    package enum Pointers: Int, Sendable, Hashable, CaseIterable {
        case bits32 = 4
        case bits64 = 8

        /// Bytes of a descriptor: name, buffer; size, write offset, read offset, flags.
        package var descriptorLength: Int { 2 * rawValue + 16 }
        fileprivate var sizeOffset: Int { 2 * rawValue }
        fileprivate var writeOffset: Int { sizeOffset + 4 }
        fileprivate var readOffset: Int { sizeOffset + 8 }
    }

    package let address: UInt64
    /// Nil: a channel that the firmware left out.
    package let up: [Ring?]
    package let down: [Ring?]

    /// What a live block begins with.
    package static let identifier: [UInt8] =
        Array("SEGGER RTT".utf8) + [UInt8](repeating: 0, count: 6)
    /// Bytes before the first descriptor.
    package static let headerLength = 24
    /// Channels in one direction. probe-rs, `rtt.rs`: more is not a control block.
    package static let maximumChannelCount = 255
    /// Of the block, and of what is in it.
    package static let alignment: UInt64 = 4

    /// Why bytes are no control block.
    package enum Defect: Error, Hashable, CustomStringConvertible {
        /// Nothing there: the firmware has not made it, or a reset took it away.
        case noIdentifier
        case counts(up: UInt32, down: UInt32)
        case outsideMemory(String)
        case ring(String)

        package var description: String {
            switch self {
            case .noIdentifier: "it has no ID"
            case .counts(let up, let down): "it counts \(up) up and \(down) down channels"
            case .outsideMemory(let what), .ring(let what): what
            }
        }
    }

    /// Bytes of the whole block, from its header.
    package static func length(header: some Collection<UInt8>, _ pointers: Pointers) throws(Defect)
        -> Int
    {
        let (up, down) = try counts(Array(header))
        return headerLength + (up + down) * pointers.descriptorLength
    }

    private static func counts(_ bytes: [UInt8]) throws(Defect) -> (up: Int, down: Int) {
        guard bytes.count >= headerLength, bytes.starts(with: identifier) else {
            throw .noIdentifier
        }
        let (up, down) = (u32(bytes, 16), u32(bytes, 20))
        guard up <= maximumChannelCount, down <= maximumChannelCount, up + down > 0 else {
            throw .counts(up: up, down: down)
        }
        return (Int(up), Int(down))
    }

    /// - Parameters:
    ///   - bytes: the whole block, or more.
    ///   - memory: where the target has RAM.
    package init(
        _ bytes: [UInt8], at address: UInt64, pointers: Pointers, in memory: [AddressRange]
    ) throws(Defect) {
        let (upCount, downCount) = try Self.counts(bytes)
        let length = Self.headerLength + (upCount + downCount) * pointers.descriptorLength
        guard bytes.count >= length, address.isMultiple(of: Self.alignment),
            memory.contains(where: { $0.contains(address, length) })
        else {
            throw .outsideMemory("its \(length) bytes are not in RAM")
        }
        var rings: [Ring?] = []
        for index in 0..<(upCount + downCount) {
            let offset = Self.headerLength + index * pointers.descriptorLength
            rings.append(
                try Self.ring(bytes, offset, at: address + UInt64(offset), pointers, memory))
        }
        self.address = address
        up = Array(rings[..<upCount])
        down = Array(rings[upCount...])
    }

    private static func ring(
        _ bytes: [UInt8], _ offset: Int, at descriptor: UInt64, _ pointers: Pointers,
        _ memory: [AddressRange]
    ) throws(Defect) -> Ring? {
        let buffer =
            pointers == .bits32
            ? UInt64(u32(bytes, offset + 4))
            : UInt64(u32(bytes, offset + 8)) | UInt64(u32(bytes, offset + 12)) << 32
        let size = Int(u32(bytes, offset + pointers.sizeOffset))
        // Firmware may keep descriptors for channels that it adds later.
        guard buffer != 0, size != 0 else { return nil }
        let place = "the ring of \(size) bytes at \(buffer.addressNotation)"
        guard size >= 2 else { throw .ring("\(place) holds nothing") }
        guard memory.contains(where: { $0.contains(buffer, size) }) else {
            throw .outsideMemory("\(place) is not in RAM")
        }
        let written = Int(u32(bytes, offset + pointers.writeOffset))
        let read = Int(u32(bytes, offset + pointers.readOffset))
        guard written < size, read < size else {
            throw .ring("\(place) is written at \(written) and read at \(read)")
        }
        return Ring(
            writeOffsetAddress: descriptor + UInt64(pointers.writeOffset),
            readOffsetAddress: descriptor + UInt64(pointers.readOffset), buffer: buffer, size: size,
            writeOffset: written,
            readOffset: read)
    }

    private static func u32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension RTTControlBlock.Ring {
    /// Where the bytes are that the reader has not taken: at most two pieces, the second at the start.
    package var filled: [(offset: Int, count: Int)] {
        let pieces =
            writeOffset >= readOffset
            ? [(readOffset, writeOffset - readOffset)]
            : [(readOffset, size - readOffset), (0, writeOffset)]
        return pieces.filter { $0.1 > 0 }
    }

    /// Where the writer may put bytes. One byte stays free: a full ring would look empty.
    package var free: [(offset: Int, count: Int)] {
        let end = (readOffset + size - 1) % size
        let pieces =
            end >= writeOffset
            ? [(writeOffset, end - writeOffset)] : [(writeOffset, size - writeOffset), (0, end)]
        return pieces.filter { $0.1 > 0 }
    }

    /// How much of it the reader has not taken: 0 to 1, where the writer waits for room.
    package var fill: Double { Double((writeOffset - readOffset + size) % size) / Double(size - 1) }

    /// The writer probably waits for room, or soon will.
    package static let nearlyFull = 7.0 / 8

    /// The offset `count` bytes behind `offset`.
    package func offset(_ offset: Int, advancedBy count: Int) -> Int { (offset + count) % size }
}
