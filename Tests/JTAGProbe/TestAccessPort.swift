/// The JTAG side of a chip: IEEE 1149.1's state machine, with the registers of Arm's JTAG-DP. Arm Debug
/// Interface Architecture Specification ADIv5, chapter B3.
struct TestAccessPort {
    private enum State {
        case reset, idle, selectDR, captureDR, shiftDR, exit1DR, pauseDR, exit2DR, updateDR
        case selectIR, captureIR, shiftIR, exit1IR, pauseIR, exit2IR, updateIR

        /// Where a rising clock leads with TMS 0, and with TMS 1.
        var next: (low: State, high: State) {
            switch self {
            case .reset: (.idle, .reset)
            case .idle, .updateDR, .updateIR: (.idle, .selectDR)
            case .selectDR: (.captureDR, .selectIR)
            case .captureDR, .shiftDR: (.shiftDR, .exit1DR)
            case .exit1DR: (.pauseDR, .updateDR)
            case .pauseDR: (.pauseDR, .exit2DR)
            case .exit2DR: (.shiftDR, .updateDR)
            case .selectIR: (.captureIR, .reset)
            case .captureIR, .shiftIR: (.shiftIR, .exit1IR)
            case .exit1IR: (.pauseIR, .updateIR)
            case .pauseIR: (.pauseIR, .exit2IR)
            case .exit2IR: (.shiftIR, .updateIR)
            }
        }
    }

    private enum Instruction: UInt64 {
        case abort = 0b1000, debugPort = 0b1010, accessPort = 0b1011, identify = 0b1110
        case bypass = 0b1111

        var length: Int {
            switch self {
            case .abort, .debugPort, .accessPort: 35
            case .identify: 32
            case .bypass: 1
            }
        }
    }

    /// Of a Cortex-M's JTAG-DP.
    private static let identification: UInt64 = 0x4BA0_0477

    private var state = State.reset
    private var instruction = Instruction.identify
    private var register: UInt64 = 0
    private var length = 1
    private var isClockHigh = false
    private var port = DebugPort()

    /// What the chip drives: the lowest bit of what is shifted.
    var output: Bool { register & 1 == 1 }

    mutating func drive(clock: Bool, mode: Bool, input: Bool, _ memory: some BusMemory) {
        defer { isClockHigh = clock }
        guard clock, !isClockHigh else { return }
        if state == .shiftDR || state == .shiftIR {
            register = register >> 1 | (input ? 1 << UInt64(length - 1) : 0)
        }
        state = mode ? state.next.high : state.next.low
        switch state {
        case .reset: instruction = .identify
        case .captureIR: (register, length) = (0b0001, 4)
        case .updateIR: instruction = Instruction(rawValue: register) ?? .bypass
        case .captureDR: (register, length) = (captured, instruction.length)
        case .updateDR: update(memory)
        default: break
        }
    }

    private var captured: UInt64 {
        switch instruction {
        case .identify: Self.identification
        case .bypass: 0
        // OK/FAULT, with what the access before has read.
        case .abort, .debugPort, .accessPort: UInt64(port.result) << 3 | 0b010
        }
    }

    private mutating func update(_ memory: some BusMemory) {
        guard instruction == .debugPort || instruction == .accessPort else { return }
        let isRead = register & 1 == 1
        port.access(
            isAccessPort: instruction == .accessPort, address: UInt32(register << 1 & 0xC),
            value: isRead ? nil : UInt32(truncatingIfNeeded: register >> 3), memory)
    }
}
