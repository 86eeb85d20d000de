import Provisioning

extension GDBRemote {
    /// Bytes of a target description that are looked through for its architecture, which comes first.
    private static let maximumDescriptionLength = 1 << 14

    /// What the probe is attached to, as BFD calls it: `arm`, `riscv:rv32`. Nil where the server does not
    /// say. GDB manual, "Target Description Format".
    func architecture() throws(ProvisioningError) -> String? {
        guard describesTarget else { return nil }
        var description = ""
        while description.utf8.count < Self.maximumDescriptionLength {
            let offset = String(description.utf8.count, radix: 16)
            let length = String(packetSize - 4, radix: 16)
            let answer = try exchange("qXfer:features:read:target.xml:\(offset),\(length)")
            guard let kind = answer.first, "lm".utf8.contains(kind), answer.count > 1 else { break }
            description += String(decoding: answer.dropFirst(), as: UTF8.self)
            if let name = Self.element("architecture", of: description) { return name }
            if kind == UInt8(ascii: "l") { break }
        }
        return nil
    }

    private static func element(_ name: String, of text: String) -> String? {
        let parts = text.split(
            separator: "<\(name)>", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let rest = parts[1].split(
            separator: "</\(name)>", maxSplits: 1, omittingEmptySubsequences: false)
        guard rest.count == 2 else { return nil }
        let value = PlainText.sanitized(rest[0].utf8)
        return value.isEmpty ? nil : value
    }
}

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
