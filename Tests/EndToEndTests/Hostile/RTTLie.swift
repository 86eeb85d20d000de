import BadLine
import JTAGProbe
import Provisioning
import Synchronization
import Testing

/// A chip whose RTT control block is not what it says, and the code that the run must end with.
struct RTTLie: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: ErrorCode
    let limit: Hostility.Limit
    /// What the error says of it.
    let detail: String
    /// What the firmware does to its RAM, which had a good block at first, between two accesses. Its argument
    /// counts them.
    private let turn: @Sendable (inout [UInt8], Int) -> Void

    private init(
        _ name: String, _ code: ErrorCode, _ detail: String, within limit: Hostility.Limit = .start,
        turn: @escaping @Sendable (inout [UInt8], Int) -> Void
    ) {
        testDescription = name
        (self.code, self.detail, self.limit, self.turn) = (code, detail, limit, turn)
    }

    /// A field has a value that it must not have.
    private init(_ name: String, _ field: Field, _ value: UInt32, _ detail: String) {
        self.init(name, .rttDamaged, detail) { ram, _ in field.set(value, &ram) }
    }

    func ram() -> TargetRAM {
        let count = Counter()
        let ram = TargetRAM { [turn] ram in turn(&ram, count.next()) }
        ram.edit { RingFirmware(block: Self.block).start(&$0) }
        return ram
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    // MARK: The block

    /// Its offset in RAM, and that of RAM's end.
    private static let block = 0x100
    private static let end = TargetRAM.base + 0x2000

    /// Offsets in a block of one channel each way: see `RTTControlBlock`.
    private enum Field: Int {
        case identifier = 0, upCount = 16, downCount = 20
        case upBuffer = 28, upSize = 32, upWritten = 36, upRead = 40
        case downBuffer = 52, downSize = 56, downWritten = 60, downRead = 64

        func set(_ value: UInt32, _ ram: inout [UInt8]) {
            let place = RTTLie.block + rawValue
            for index in 0..<4 { ram[place + index] = UInt8(value >> (8 * UInt32(index)) & 0xff) }
        }
    }

    static let all =
        [
            RTTLie("4 Gi up channels", .upCount, .max, "it counts 4294967295 up"),
            RTTLie("4 Gi down channels", .downCount, .max, "4294967295 down channels"),
            RTTLie("no up channel", .rttNotFound, "has no up channel 0, of 0") { ram, _ in
                Field.upCount.set(0, &ram)
            },
            RTTLie("more channels than RAM has room for", .upCount, 255, "not in RAM"),
            RTTLie("a ring of 4 GiB", .upSize, .max, "4294967295 bytes"),
            RTTLie("a ring of one byte", .downSize, 1, "holds nothing"),
            RTTLie("a ring below RAM", .upBuffer, 0x1FFF_FFFF, "at 0x1fffffff"),
            RTTLie("a ring behind RAM", .downBuffer, end, "at 0x20002000"),
            RTTLie("a ring that RAM's end cuts", .upBuffer, end - 511, "at 0x20001e01"),
            RTTLie("a ring that ends behind all", .upBuffer, 0xFFFF_FF00, "at 0xffffff00"),
            RTTLie("a write offset behind the ring", .upWritten, 512, "written at 512"),
            RTTLie("a write offset of 4 GiB", .upWritten, .max, "written at 4294967295"),
            RTTLie("a read offset behind the ring", .upRead, 512, "read at 512"),
            RTTLie("the host's offset of 4 GiB", .downRead, .max, "read at 4294967295"),
        ] + changing

    /// Good at one look, and not at the next.
    private static let changing = [
        RTTLie("an ID that is gone once it was found", .rttNotFound, "no RTT control block") {
            ram, _ in
            if hasBeenFound(ram) { Field.identifier.set(0, &ram) }
        },
        RTTLie("a ring that leaves RAM once it was found", .rttDamaged, "at 0x30000000") {
            ram, _ in
            if hasBeenFound(ram) { Field.upBuffer.set(0x3000_0000, &ram) }
        },
        RTTLie("offsets that are others at each look", .rttDamaged, "is written at") {
            ram, turn in
            var generator = SeededGenerator(seed: UInt64(turn))
            for field in [Field.upWritten, .upRead, .downWritten, .downRead] {
                field.set(UInt32(truncatingIfNeeded: generator.next()), &ram)
            }
        },
        RTTLie("rings that are elsewhere at each look", .noAnswer, "say hello") { ram, turn in
            var generator = SeededGenerator(seed: UInt64(turn))
            Field.upBuffer.set(TargetRAM.base + UInt32(generator.next() % 0x1E00), &ram)
            Field.upWritten.set(UInt32(generator.next() % 512), &ram)
            Field.downRead.set(UInt32(generator.next() % 256), &ram)
        },
        RTTLie("a ring that is always full", .noAnswer, "say hello") { ram, _ in
            Field.upWritten.set(511, &ram)
            Field.upRead.set(0, &ram)
        },
        RTTLie("a ring that takes nothing", .channelUnavailable, "bytes in", within: .write) {
            ram, _ in
            Field.downWritten.set(255, &ram)
            Field.downRead.set(0, &ram)
        },
    ]

    /// Whether the host has written to its ring.
    private static func hasBeenFound(_ ram: [UInt8]) -> Bool {
        ram[block + Field.downWritten.rawValue] != 0
    }
}
