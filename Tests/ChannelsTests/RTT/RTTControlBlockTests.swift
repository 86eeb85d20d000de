import Testing

@testable import Channels

@Suite struct RTTControlBlockTests {
    private static let address: UInt64 = 0x2000_0040

    private let ram: [AddressRange]

    init() throws {
        ram = [try #require(AddressRange(address: 0x2000_0000, length: 0x1000))]
    }

    private static func words(_ words: [UInt64], length: Int = 4) -> [UInt8] {
        words.flatMap { word in (0..<length).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }

    /// Two up channels, of which the second is left out, and one down.
    private static let words: [UInt64] = [
        2, 1,
        0x0800_1000, 0x2000_0100, 64, 10, 3, 0,
        0, 0, 0, 0, 0, 0,
        0x0800_1010, 0x2000_0140, 16, 0, 15, 2,
    ]

    private static func block(changing changes: [Int: UInt64] = [:]) -> [UInt8] {
        var words = Self.words
        for (index, word) in changes { words[index] = word }
        return Array("SEGGER RTT\0\0\0\0\0\0".utf8) + Self.words(words)
    }

    private func decode(_ bytes: [UInt8], at address: UInt64 = Self.address)
        throws(RTTControlBlock.Defect) -> RTTControlBlock
    {
        try RTTControlBlock(bytes, at: address, pointers: .bits32, in: ram)
    }

    @Test func decodesWhatTargetsOf32BitsSay() throws {
        let bytes = Self.block()
        #expect(try RTTControlBlock.length(header: bytes, .bits32) == bytes.count)
        let block = try decode(bytes + [1, 2, 3])
        #expect(block.up.count == 2 && block.down.count == 1)
        let up = try #require(block.up[0])
        #expect(up.buffer == 0x2000_0100 && up.size == 64)
        #expect(up.writeOffset == 10 && up.readOffset == 3)
        #expect(up.writeOffsetAddress == Self.address + 24 + 12)
        #expect(up.readOffsetAddress == Self.address + 24 + 16)
        #expect(block.up[1] == nil)
        let down = try #require(block.down[0])
        #expect(down.buffer == 0x2000_0140 && down.readOffset == 15)
        #expect(down.writeOffsetAddress == Self.address + 24 + 48 + 12)
    }

    @Test func decodesWhatTargetsOf64BitsSay() throws {
        let far: UInt64 = 0x12_3456_0000
        let memory = try #require(AddressRange(address: far, length: 0x1000))
        let bytes =
            Array("SEGGER RTT\0\0\0\0\0\0".utf8) + Self.words([1, 1])
            + Self.words([1, far + 0x100], length: 8) + Self.words([64, 10, 3, 0])
            + Self.words([2, far + 0x200], length: 8) + Self.words([16, 0, 15, 2])
        #expect(try RTTControlBlock.length(header: bytes, .bits64) == bytes.count)
        let block = try RTTControlBlock(bytes, at: far, pointers: .bits64, in: [memory])
        let (up, down) = (try #require(block.up[0]), try #require(block.down[0]))
        #expect(up.buffer == far + 0x100 && up.size == 64 && up.writeOffset == 10)
        #expect(up.writeOffsetAddress == far + 24 + 20 && up.readOffsetAddress == far + 24 + 24)
        #expect(down.buffer == far + 0x200 && down.readOffset == 15)
        #expect(down.writeOffsetAddress == far + 24 + 32 + 20)
    }

    /// A word of the vector that is changed, and what is said of it.
    private static let lies: [(word: Int, value: UInt64, complaint: String)] = [
        (0, 256, "it counts 256 up and 1 down channels"),
        (1, 0xFFFF_FFFF, "it counts 2 up and 4294967295 down channels"),
        (0, 255, "its 6168 bytes are not in RAM"),
        (3, 0x1FFF_FFFF, "the ring of 64 bytes at 0x1fffffff is not in RAM"),
        (3, 0x2000_0FC1, "the ring of 64 bytes at 0x20000fc1 is not in RAM"),
        (3, 0xFFFF_FFF0, "the ring of 64 bytes at 0xfffffff0 is not in RAM"),
        (4, 0xFFFF_FFFF, "the ring of 4294967295 bytes at 0x20000100 is not in RAM"),
        (4, 1, "the ring of 1 bytes at 0x20000100 holds nothing"),
        (5, 64, "the ring of 64 bytes at 0x20000100 is written at 64 and read at 3"),
        (
            6, 0xFFFF_FFFF,
            "the ring of 64 bytes at 0x20000100 is written at 10 and read at 4294967295"
        ),
        (17, 99, "the ring of 16 bytes at 0x20000140 is written at 99 and read at 15"),
    ]

    @Test(arguments: lies.indices) func refusesWhatCannotBe(_ index: Int) throws {
        let lie = Self.lies[index]
        var bytes = Self.block(changing: [lie.word: lie.value])
        // As many bytes as it asks for.
        bytes += [UInt8](repeating: 0, count: 8192)
        let error = #expect(throws: RTTControlBlock.Defect.self) { try decode(bytes) }
        #expect(error?.description == lie.complaint)
    }

    @Test func refusesABlockThatIsNoneOrElsewhere() {
        for index in 0..<16 {
            var bytes = Self.block()
            bytes[index] ^= 0x20
            #expect(throws: RTTControlBlock.Defect.noIdentifier) { try decode(bytes) }
        }
        for length in 0..<Self.block().count {
            #expect(throws: RTTControlBlock.Defect.self) {
                try decode(Array(Self.block().prefix(length)))
            }
        }
        #expect(throws: RTTControlBlock.Defect.counts(up: 0, down: 0)) {
            try decode(Self.block(changing: [0: 0, 1: 0]))
        }
        let length = UInt64(Self.block().count)
        let places: [UInt64] = [0x2000_0042, 0x2000_1000 - length + 4, 0x1FFF_FFFC, 0, .max - 3]
        for place in places {
            #expect(throws: RTTControlBlock.Defect.self) { try decode(Self.block(), at: place) }
        }
        #expect(throws: Never.self) { try decode(Self.block(), at: 0x2000_1000 - length) }
    }

    /// Every state of small rings: what is filled is what was written, and one byte stays free.
    @Test func piecesCoverTheRing() {
        for size in 2...6 {
            for read in 0..<size {
                for count in 0..<size {
                    let ring = RTTControlBlock.Ring(
                        writeOffsetAddress: 0, readOffsetAddress: 0, buffer: 0, size: size,
                        writeOffset: (read + count) % size, readOffset: read)
                    let filled = ring.filled.flatMap { Array($0.offset..<$0.offset + $0.count) }
                    #expect(filled == (0..<count).map { (read + $0) % size })
                    let free = ring.free.flatMap { Array($0.offset..<$0.offset + $0.count) }
                    #expect(free == (0..<(size - 1 - count)).map { (read + count + $0) % size })
                }
            }
        }
    }
}
