import Provisioning

/// Little-endian numbers of a file that may say anything.
struct ELFReader: Sendable {
    let file: [UInt8]
    let is64: Bool

    init(_ file: [UInt8]) throws(ProvisioningError) {
        guard file.starts(with: ELFImage.magic) else {
            throw Self.invalid("no ELF file", hint: "give the linked .elf, not a .bin or .hex")
        }
        guard file.count >= 52, file[6] == 1 else { throw Self.invalid("no ELF header") }
        guard file[5] == 1 else { throw Self.invalid("not little-endian") }
        guard file[4] == 1 || file[4] == 2 else {
            throw Self.invalid("an ELF file of class \(file[4])")
        }
        self.file = file
        is64 = file[4] == 2
    }

    func contains(_ offset: UInt64, _ count: UInt64) -> Bool {
        count <= UInt64(file.count) && offset <= UInt64(file.count) - count
    }

    func bytes(at offset: UInt64, count: UInt64) throws(ProvisioningError) -> ArraySlice<UInt8> {
        guard contains(offset, count) else {
            throw Self.invalid(
                "\(count) bytes at \(offset) are missing: it ends at \(file.count)",
                hint: "was the file cut short?")
        }
        return file[Int(offset)..<Int(offset + count)]
    }

    private func number(at offset: UInt64, count: UInt64) throws(ProvisioningError) -> UInt64 {
        try bytes(at: offset, count: count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func u16(at offset: UInt64) throws(ProvisioningError) -> UInt16 {
        UInt16(truncatingIfNeeded: try number(at: offset, count: 2))
    }

    func u32(at offset: UInt64) throws(ProvisioningError) -> UInt32 {
        UInt32(truncatingIfNeeded: try number(at: offset, count: 4))
    }

    /// An address, offset or size: 4 or 8 bytes.
    func word(at offset: UInt64) throws(ProvisioningError) -> UInt64 {
        try number(at: offset, count: is64 ? 8 : 4)
    }

    /// What a section header points to.
    func section(at header: UInt64) throws(ProvisioningError) -> ArraySlice<UInt8> {
        try bytes(
            at: word(at: header + (is64 ? 24 : 16)), count: word(at: header + (is64 ? 32 : 20)))
    }

    static func invalid(_ reason: String, hint: String? = nil) -> ProvisioningError {
        ProvisioningError(.imageInvalid, "the firmware image: \(reason)", hint: hint)
    }
}
