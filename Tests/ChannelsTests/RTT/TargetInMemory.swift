import Provisioning

@testable import Channels

/// A target's RAM, and the firmware that runs in it whenever the core does.
final class TargetInMemory: TargetMemory {
    static let base: UInt64 = 0x2000_0000

    let name = "target"
    let haltsCore: Bool
    let requestLength = 16
    var ram: [UInt8]
    /// A turn of the firmware.
    var run: (TargetInMemory) throws -> Void = { _ in }
    private(set) var transferCount = 0
    private var isInTransfer = false

    init(size: Int = 4096, haltsCore: Bool = true, filledWith byte: UInt8 = 0xA5) {
        ram = [UInt8](repeating: byte, count: size)
        self.haltsCore = haltsCore
    }

    func settings(up: Int = 0, down: Int = 0, log: Int? = nil) throws -> RTTSettings {
        RTTSettings(memory: [try region], up: up, down: down, log: log)
    }

    var region: AddressRange {
        get throws {
            guard let region = AddressRange(address: Self.base, length: ram.count) else {
                throw ProvisioningError(.internalFailure, "no RAM")
            }
            return region
        }
    }

    func channel(
        _ settings: RTTSettings, address: UInt64? = nil, within timeout: Duration = .seconds(20),
        interruption: Interruption? = nil,
        beforeDelivery: @escaping RTTChannel.BeforeDelivery = { () throws(ProvisioningError) in }
    ) throws(ProvisioningError) -> RTTChannel {
        let stop: Interruption
        if let interruption { stop = interruption } else { stop = try Interruption() }
        return try RTTChannel(
            self, settings, locator: RTTLocator(settings, address: address), within: timeout,
            interruption: stop, beforeDelivery: beforeDelivery)
    }

    // MARK: The probe's side

    func beginTransfer() throws(ProvisioningError) {
        guard !isInTransfer else { throw refusal("a transfer in a transfer") }
        isInTransfer = true
        transferCount += 1
    }

    func endTransfer() throws(ProvisioningError) {
        guard isInTransfer else { throw refusal("no transfer to end") }
        isInTransfer = false
        do { try run(self) } catch { throw refusal("the firmware fails: \(error)") }
    }

    func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        Array(ram[try place(address, count)])
    }

    func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError) {
        ram.replaceSubrange(try place(address, bytes.count), with: bytes)
    }

    private func place(_ address: UInt64, _ count: Int) throws(ProvisioningError) -> Range<Int> {
        guard isInTransfer else { throw refusal("the core runs") }
        guard address >= Self.base, count >= 0, address - Self.base <= UInt64(ram.count),
            Int(address - Self.base) + count <= ram.count
        else { throw refusal("no \(count) bytes at \(address.addressNotation)") }
        let start = Int(address - Self.base)
        return start..<start + count
    }

    private func refusal(_ what: String) -> ProvisioningError {
        ProvisioningError(.probeProtocol, "\(name): \(what)")
    }

    // MARK: The firmware's side

    func word(_ offset: Int) -> Int {
        ram[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func set(_ offset: Int, _ word: Int) {
        for index in 0..<4 { ram[offset + index] = UInt8(truncatingIfNeeded: word >> (8 * index)) }
    }

    /// A call, so that a failing expectation does not print all of RAM.
    func holds(_ bytes: [UInt8]) -> Bool { ram == bytes }

    /// What a reset does to variables.
    func clear() { ram = [UInt8](repeating: 0, count: ram.count) }
}

/// Rings as firmware keeps them, written down here from the layout's description alone.
struct FirmwareRings {
    let target: TargetInMemory
    /// Of the control block, in RAM.
    let offset: Int
    let upCount: Int

    /// Makes the block at `offset`, and the rings behind it.
    init(_ target: TargetInMemory, at offset: Int, up: [Int], down: [Int]) {
        self.target = target
        self.offset = offset
        upCount = up.count
        var buffer = offset + 24 + 24 * (up.count + down.count)
        target.set(offset + 16, up.count)
        target.set(offset + 20, down.count)
        for (index, size) in (up + down).enumerated() {
            let descriptor = offset + 24 + 24 * index
            target.set(descriptor, 0)
            target.set(descriptor + 4, size == 0 ? 0 : Int(TargetInMemory.base) + buffer)
            target.set(descriptor + 8, size)
            for field in [12, 16, 20] { target.set(descriptor + field, 0) }
            buffer += size
        }
        target.ram.replaceSubrange(
            offset..<offset + 16, with: Array("SEGGER RTT".utf8) + [0, 0, 0, 0, 0, 0])
    }

    private func up(_ channel: Int) -> Int { offset + 24 + 24 * channel }
    private func down(_ channel: Int) -> Int { up(upCount + channel) }
    private func buffer(_ descriptor: Int) -> Int {
        target.word(descriptor + 4) - Int(TargetInMemory.base)
    }

    /// How many of them fitted.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>, on channel: Int = 0) -> Int {
        let (ring, start) = (up(channel), buffer(up(channel)))
        var count = 0
        for byte in bytes {
            let written = target.word(ring + 12)
            let next = (written + 1) % target.word(ring + 8)
            if next == target.word(ring + 16) { break }
            target.ram[start + written] = byte
            target.set(ring + 12, next)
            count += 1
        }
        return count
    }

    func receive(on channel: Int = 0, atMost limit: Int = .max) -> [UInt8] {
        let (ring, start) = (down(channel), buffer(down(channel)))
        var bytes: [UInt8] = []
        while bytes.count < limit, target.word(ring + 16) != target.word(ring + 12) {
            let read = target.word(ring + 16)
            bytes.append(target.ram[start + read])
            target.set(ring + 16, (read + 1) % target.word(ring + 8))
        }
        return bytes
    }
}
