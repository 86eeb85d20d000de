/// `e_machine` of the System V ABI, of what microcontrollers and their developers' computers have.
enum ELFMachine: UInt16, CaseIterable {
    case i386 = 3
    case mips = 8
    case arm = 40
    case x86 = 62
    case avr = 83
    case xtensa = 94
    case msp430 = 105
    case aarch64 = 183
    case riscv = 243

    var name: String {
        switch self {
        case .i386: "i386"
        case .mips: "MIPS"
        case .arm: "Arm"
        case .x86: "x86-64"
        case .avr: "AVR"
        case .xtensa: "Xtensa"
        case .msp430: "MSP430"
        case .aarch64: "AArch64"
        case .riscv: "RISC-V"
        }
    }

    /// From BFD's name of an architecture; nil for one that is not known here.
    init?(architecture: String) {
        let family = architecture.lowercased().prefix { $0 != ":" && $0 != "_" }
        switch family {
        case "i386": self = architecture.contains("x86-64") ? .x86 : .i386
        case "mips": self = .mips
        case "avr": self = .avr
        case "xtensa": self = .xtensa
        case "msp430": self = .msp430
        case "aarch64": self = .aarch64
        case "riscv": self = .riscv
        case let name where name.hasPrefix("arm"): self = .arm
        default: return nil
        }
    }

    static func name(of number: UInt16) -> String {
        ELFMachine(rawValue: number).map { "\($0.name)" } ?? "machine \(number)"
    }
}
