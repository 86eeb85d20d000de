public import Provisioning

/// The loadable part of a linked firmware image: System V ABI, "Object Files" and "Program Loading";
/// ELF for the Arm Architecture. Little-endian, 32 or 64 bits.
public struct ELFImage: Sendable {
    /// Bytes that belong at a physical address: what a flash programmer writes.
    public struct Segment: Sendable, Hashable {
        public let address: UInt64
        public let bytes: ArraySlice<UInt8>

        /// The first address after it.
        public var end: UInt64 { address + UInt64(bytes.count) }
    }

    public struct Symbol: Sendable, Hashable {
        public let address: UInt64
        public let size: UInt64
    }

    public let entry: UInt64
    /// `e_machine`: 40 is Arm, 243 RISC-V.
    public let machine: UInt16
    /// In order of their addresses; they do not overlap.
    public let segments: [Segment]
    public var byteCount: Int { segments.reduce(0) { $0 + $1.bytes.count } }

    let reader: ELFReader

    /// How an ELF file begins: EI_MAG0 to EI_MAG3.
    public static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    /// Bytes of an image file, debug information included.
    public static let maximumFileSize = 512 << 20
    /// Bytes to load: more than any microcontroller's flash.
    public static let maximumLoadSize = 256 << 20
    private static let maximumSegmentCount = 1024

    private static let executableType: UInt16 = 2
    static let loadable: UInt32 = 1

    /// - Throws: `.imageInvalid` for anything but a linked little-endian ELF executable whose segments
    ///   lie inside the file and the address space and do not overlap.
    public init(_ file: [UInt8]) throws(ProvisioningError) {
        let reader = try ELFReader(file)
        self.reader = reader
        let type = try reader.u16(at: 16)
        guard type == Self.executableType else {
            throw ELFReader.invalid(
                "an ELF file of type \(type), not an executable (\(Self.executableType))",
                hint: type == 1
                    ? "an object file has to be linked first"
                    : "is it a program of this computer? build it for the board")
        }
        machine = try reader.u16(at: 18)
        entry = try reader.word(at: 24)
        segments = try Self.segments(reader)
    }

    /// Reads and parses the file.
    public init(contentsOf image: FirmwareImage) throws(ProvisioningError) {
        try self.init(image.readBytes(limit: Self.maximumFileSize))
    }

    /// The file offsets of the program headers.
    static func programHeaders(_ reader: ELFReader) throws(ProvisioningError) -> [UInt64] {
        let table = try reader.word(at: reader.is64 ? 32 : 28)
        let entrySize = try reader.u16(at: reader.is64 ? 54 : 42)
        let count = try reader.u16(at: reader.is64 ? 56 : 44)
        guard entrySize == (reader.is64 ? 56 : 32) else {
            throw ELFReader.invalid("program headers of \(entrySize) bytes")
        }
        guard count <= maximumSegmentCount else {
            throw ELFReader.invalid("\(count) program headers, more than \(maximumSegmentCount)")
        }
        var headers: [UInt64] = []
        for index in 0..<UInt64(count) {
            // At most 1024 × 56 bytes beyond an offset that the reader bounds.
            let (header, overflow) = table.addingReportingOverflow(index * UInt64(entrySize))
            guard !overflow else { throw ELFReader.invalid("program headers at \(table)") }
            headers.append(header)
        }
        return headers
    }

    private static func segments(_ reader: ELFReader) throws(ProvisioningError) -> [Segment] {
        var segments: [Segment] = []
        for header in try programHeaders(reader) {
            if let segment = try segment(reader, at: header) { segments.append(segment) }
        }
        guard !segments.isEmpty else { throw ELFReader.invalid("nothing to load") }
        segments.sort { $0.address < $1.address }
        for (first, second) in zip(segments, segments.dropFirst()) where second.address < first.end
        {
            throw ELFReader.invalid(
                "segments that overlap: \(first.address.addressNotation) to "
                    + "\(first.end.addressNotation), and "
                    + "\(second.address.addressNotation)")
        }
        guard segments.reduce(0, { $0 + $1.bytes.count }) <= maximumLoadSize else {
            throw ELFReader.invalid("more than \(maximumLoadSize) bytes to load")
        }
        return segments
    }

    private static func segment(_ reader: ELFReader, at header: UInt64) throws(ProvisioningError)
        -> Segment?
    {
        let type = try reader.u32(at: header)
        let offset = try reader.word(at: header + (reader.is64 ? 8 : 4))
        let address = try reader.word(at: header + (reader.is64 ? 24 : 12))
        let fileSize = try reader.word(at: header + (reader.is64 ? 32 : 16))
        let memorySize = try reader.word(at: header + (reader.is64 ? 40 : 20))
        guard type == loadable, fileSize > 0 else { return nil }
        let place = "the segment at \(address.addressNotation)"
        guard fileSize <= memorySize else {
            throw ELFReader.invalid(
                "\(place) has \(fileSize) bytes in the file, \(memorySize) in memory")
        }
        let limit = reader.is64 ? UInt64.max : UInt64(UInt32.max)
        guard memorySize <= limit, address <= limit - memorySize else {
            throw ELFReader.invalid("\(place) of \(memorySize) bytes leaves the address space")
        }
        return Segment(address: address, bytes: try reader.bytes(at: offset, count: fileSize))
    }
}

extension ELFImage {
    private static let symbolTable: UInt32 = 2

    /// The first defined symbol of this name, or nil: a stripped image has none.
    ///
    /// - Throws: `.imageInvalid` if the symbol table is malformed.
    public func symbol(named name: String) throws(ProvisioningError) -> Symbol? {
        let is64 = reader.is64
        let table = try reader.word(at: is64 ? 40 : 32)
        let entrySize = UInt64(try reader.u16(at: is64 ? 58 : 46))
        let count = UInt64(try reader.u16(at: is64 ? 60 : 48))
        guard table > 0, count > 0 else { return nil }
        guard entrySize == (is64 ? 64 : 40), reader.contains(table, count * entrySize) else {
            throw ELFReader.invalid("\(count) section headers of \(entrySize) bytes at \(table)")
        }
        for index in 0..<count {
            let section = table + index * entrySize
            guard try reader.u32(at: section + 4) == Self.symbolTable else { continue }
            let strings = UInt64(try reader.u32(at: section + (is64 ? 40 : 24)))
            guard strings < count else {
                throw ELFReader.invalid("a symbol table whose names are in section \(strings)")
            }
            let names = try reader.section(at: table + strings * entrySize)
            let symbols = try reader.section(at: section)
            // There is one such table: a file with thousands would be searched for hours.
            return try find(name, symbols: symbols, names: names)
        }
        return nil
    }

    private func find(_ name: String, symbols: ArraySlice<UInt8>, names: ArraySlice<UInt8>)
        throws(ProvisioningError) -> Symbol?
    {
        let wanted = Array(name.utf8) + [0]
        let size = reader.is64 ? 24 : 16
        guard symbols.count.isMultiple(of: size) else {
            throw ELFReader.invalid("a symbol table of \(symbols.count) bytes")
        }
        for start in stride(from: symbols.startIndex, to: symbols.endIndex, by: size) {
            let symbol = UInt64(start)
            let isDefined = try reader.u16(at: symbol + (reader.is64 ? 6 : 14)) != 0
            let offset = Int(try reader.u32(at: symbol))
            guard isDefined, offset <= names.count,
                names.dropFirst(offset).starts(with: wanted)
            else { continue }
            return Symbol(
                address: try reader.word(at: symbol + (reader.is64 ? 8 : 4)),
                size: try reader.word(at: symbol + (reader.is64 ? 16 : 8)))
        }
        return nil
    }
}
