import Synchronization

/// RAM, the firmware that runs in it between two accesses, and as much of a Cortex-M4's debug registers as
/// OpenOCD wants to see. Armv7-M Architecture Reference Manual, chapters B3.2 and C1.6.
package final class TargetRAM: BusMemory, Sendable {
    package static let base: UInt32 = 0x2000_0000

    private struct State {
        var bytes: [UInt8]
        var isHalted = false
        /// What was written to the System Control Space, where it is of no consequence.
        var registers: [UInt32: UInt32] = [:]
    }
    private let state: Mutex<State>
    private let firmware: @Sendable (inout [UInt8]) -> Void
    /// From `flashBase` on, and never written.
    private let flash: [UInt8]
    private static let flashBase: UInt32 = 0x0800_0000

    private static let processorID: (address: UInt32, value: UInt32) = (0xE000_ED00, 0x410F_C241)
    private static let haltingControl: UInt32 = 0xE000_EDF0
    private static let registerSelector: UInt32 = 0xE000_EDF4
    private static let controlSpace: ClosedRange<UInt32> = 0xE000_0000...0xE00F_FFFF

    /// - Parameters:
    ///   - flash: what is at 0x08000000, as in an STM32.
    ///   - firmware: a turn of it, before each access while the core runs.
    package init(
        size: Int = 8192, flash: [UInt8] = [],
        firmware: @escaping @Sendable (inout [UInt8]) -> Void = { _ in }
    ) {
        state = Mutex(State(bytes: [UInt8](repeating: 0xA5, count: size)))
        self.flash = flash
        self.firmware = firmware
    }

    package func edit(_ body: (inout [UInt8]) -> Void) {
        state.withLock { body(&$0.bytes) }
    }

    package var isHalted: Bool { state.withLock { $0.isHalted } }

    func word(at address: UInt32) -> UInt32? {
        state.withLock { state in
            if !state.isHalted { firmware(&state.bytes) }
            if Self.controlSpace.contains(address) { return register(address, state) }
            let isFlash = address < Self.base
            let bytes = isFlash ? flash : state.bytes
            let start = Self.index(
                address, 4, bytes.count, from: isFlash ? Self.flashBase : Self.base)
            guard let start else { return nil }
            return bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    func write(_ word: UInt32, at address: UInt32, count: UInt32) {
        state.withLock { state in
            if Self.controlSpace.contains(address) { return set(address, word, &state) }
            guard let start = Self.index(address, Int(count), state.bytes.count) else { return }
            // Each byte travels in the lane of its address.
            for index in 0..<Int(count) {
                let lane = (address + UInt32(index)) & 3
                state.bytes[start + index] = UInt8(truncatingIfNeeded: word >> (lane * 8))
            }
            if !state.isHalted { firmware(&state.bytes) }
        }
    }

    private func register(_ address: UInt32, _ state: State) -> UInt32 {
        switch address {
        case Self.processorID.address: Self.processorID.value
        // S_RETIRE_ST, S_REGRDY, C_DEBUGEN; S_HALT with C_HALT.
        case Self.haltingControl: 0x0101_0001 | (state.isHalted ? 1 << 17 | 2 : 0)
        case Self.registerSelector: 0
        // No comparators of any kind, and what was written elsewhere.
        default: state.registers[address] ?? 0
        }
    }

    private func set(_ address: UInt32, _ word: UInt32, _ state: inout State) {
        if address == Self.haltingControl, word >> 16 == 0xA05F {
            state.isHalted = word & 2 != 0
        } else if address >= 0xE000_ED00 {
            state.registers[address] = word
        }
    }

    private static func index(
        _ address: UInt32, _ count: Int, _ size: Int, from base: UInt32 = base
    ) -> Int? {
        guard address >= base, Int(address - base) <= size - count else { return nil }
        return Int(address - base)
    }
}
