/// RTT in bytes: one channel each way, of the public layout for 32-bit chips.
package struct RingFirmware: Sendable {
    /// Offset of the control block in RAM.
    private let block: Int
    private let sizes: (up: Int, down: Int)

    package init(block: Int = 0x100, up: Int = 512, down: Int = 256) {
        self.block = block
        sizes = (up, down)
    }

    private var up: Int { block + 24 }
    private var down: Int { block + 48 }
    private var upBuffer: Int { block + 128 }
    private var downBuffer: Int { upBuffer + sizes.up }

    /// What `dp_rtt_start` leaves.
    package func start(_ ram: inout [UInt8]) {
        for (index, word) in [1, 1].enumerated() { set(word, at: block + 16 + 4 * index, &ram) }
        for (ring, buffer, size) in [(up, upBuffer, sizes.up), (down, downBuffer, sizes.down)] {
            let base = Int(TargetRAM.base)
            for (index, word) in [0, base + buffer, size, 0, 0, 0].enumerated() {
                set(word, at: ring + 4 * index, &ram)
            }
        }
        ram.replaceSubrange(block..<block + 16, with: Array("SEGGER RTT\0\0\0\0\0\0".utf8))
    }

    /// What the host has written.
    package func received(_ ram: inout [UInt8]) -> [UInt8] {
        let (written, read) = (get(down + 12, ram), get(down + 16, ram))
        guard written < sizes.down, written != read else { return [] }
        let end = written > read ? written : sizes.down
        let bytes = Array(ram[downBuffer + read..<downBuffer + end])
        set(end % sizes.down, at: down + 16, &ram)
        return bytes
    }

    /// Writes as much as fits.
    ///
    /// - Returns: how many bytes did.
    package func send(_ bytes: some Collection<UInt8>, _ ram: inout [UInt8]) -> Int {
        let (written, read) = (get(up + 12, ram), get(up + 16, ram))
        guard read < sizes.up else { return 0 }
        let room = (read + sizes.up - written - 1) % sizes.up
        for (index, byte) in bytes.prefix(room).enumerated() {
            ram[upBuffer + (written + index) % sizes.up] = byte
        }
        let count = min(room, bytes.count)
        set((written + count) % sizes.up, at: up + 12, &ram)
        return count
    }

    private func get(_ place: Int, _ ram: [UInt8]) -> Int {
        ram[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private func set(_ word: Int, at place: Int, _ ram: inout [UInt8]) {
        for index in 0..<4 { ram[place + index] = UInt8(truncatingIfNeeded: word >> (8 * index)) }
    }
}
