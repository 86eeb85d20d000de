internal import Channels
internal import Provisioning

extension FuzzTarget {
    /// RAM of a target that may say anything, and change it whenever its core runs: two bytes of turns,
    /// then RAM.
    static let rtt = FuzzTarget("rtt") { input in
        var input = FuzzInput(input)
        let change = (offset: Int(input.byte()), mask: input.byte())
        let ram = input.remainder()
        guard let region = AddressRange(address: FuzzedMemory.base, length: ram.count) else {
            return
        }
        for pointers in RTTControlBlock.Pointers.allCases {
            try checkBlock(ram, pointers, in: region)
        }
        let memory = FuzzedMemory(ram, changing: change)
        let settings = RTTSettings(memory: [region], up: 0, down: 0, log: 1)
        do {
            let channel = try RTTChannel(
                memory, settings, locator: RTTLocator(settings), within: .zero,
                interruption: Interruption())
            for _ in 0..<4 {
                let bytes = try channel.read(atMost: 64, within: .zero)
                try require(bytes.count <= 64, "\(bytes.count) bytes of 64")
                try channel.write([1, 2, 3], within: .zero)
            }
        } catch let error as ProvisioningError {
            let expected: Set<ErrorCode> = [.rttNotFound, .rttDamaged, .channelUnavailable]
            try require(expected.contains(error.code), "the error is \(error)")
        }
        try require(memory.strayed == nil, "\(memory.strayed ?? "") is outside RAM")
    }

    private static func checkBlock(
        _ ram: [UInt8], _ pointers: RTTControlBlock.Pointers, in region: AddressRange
    ) throws {
        guard
            let block = try? RTTControlBlock(
                ram, at: region.address, pointers: pointers, in: [region])
        else { return }
        let length = try RTTControlBlock.length(header: ram, pointers)
        try require(length <= ram.count, "a block of \(length) bytes")
        for ring in (block.up + block.down).compactMap(\.self) {
            try require(region.contains(ring.buffer, ring.size), "a ring outside RAM")
            let pieces = ring.filled + ring.free
            try require(
                pieces.allSatisfy { $0.offset >= 0 && $0.offset + $0.count <= ring.size },
                "a piece outside its ring")
            try require(
                pieces.reduce(0) { $0 + $1.count } == ring.size - 1, "not one byte stays free")
        }
    }
}

private final class FuzzedMemory: TargetMemory {
    static let base: UInt64 = 0x2000_0000
    let name = "target"
    // No pauses.
    let haltsCore = false
    let requestLength = 16
    private var ram: [UInt8]
    private let change: (offset: Int, mask: UInt8)
    private(set) var strayed: String?

    init(_ ram: [UInt8], changing change: (offset: Int, mask: UInt8)) {
        self.ram = ram
        self.change = change
    }

    func beginTransfer() {}

    func endTransfer() {
        if ram.indices.contains(change.offset) { ram[change.offset] ^= change.mask }
    }

    func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        guard let start = place(address, count) else { return [UInt8](repeating: 0, count: count) }
        return Array(ram[start..<start + count])
    }

    func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError) {
        guard let start = place(address, bytes.count) else { return }
        ram.replaceSubrange(start..<start + bytes.count, with: bytes)
    }

    private func place(_ address: UInt64, _ count: Int) -> Int? {
        guard let region = AddressRange(address: Self.base, length: ram.count),
            region.contains(address, count)
        else {
            strayed = "\(count) bytes at \(address)"
            return nil
        }
        return Int(address - Self.base)
    }
}
