import Provisioning
import Testing

@testable import Channels

/// Assembles ELF files, sound ones and others.
struct ELFFile {
    struct Segment {
        var type: UInt32 = 1
        var address: UInt64
        var bytes: [UInt8]
        var memorySize: UInt64?
        var offset: UInt64?
        var fileSize: UInt64?
    }

    var is64 = false
    var segments: [Segment]
    var entry: UInt64 = 9
    var symbols: [(name: String, address: UInt64)] = []

    private func word(_ value: UInt64) -> [UInt8] { little(value, is64 ? 8 : 4) }
    private func little(_ value: some FixedWidthInteger, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: UInt64(value) >> (8 * $0)) }
    }

    var bytes: [UInt8] {
        let headerSize = is64 ? 64 : 52
        let entrySize = is64 ? 56 : 32
        var data: [UInt8] = []
        var table: [UInt8] = []
        let dataStart = headerSize + entrySize * segments.count
        for segment in segments {
            let offset = segment.offset ?? UInt64(dataStart + data.count)
            let size = segment.fileSize ?? UInt64(segment.bytes.count)
            let memory = word(segment.memorySize ?? size)
            let address = word(segment.address)
            table += little(segment.type, 4)
            if is64 { table += little(5, 4) }
            table += word(offset) + address + address + word(size) + memory
            if !is64 { table += little(5, 4) }
            table += word(4)
            data += segment.bytes
        }
        let (sections, sectionTable) = symbolSections(at: dataStart + data.count)
        let tableStart = symbols.isEmpty ? 0 : dataStart + data.count + sections.count
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1]
        header += [UInt8](repeating: 0, count: 9) + little(2, 2) + little(40, 2) + little(1, 4)
        header += word(entry) + word(UInt64(headerSize)) + word(UInt64(tableStart)) + little(0, 4)
        header += little(headerSize, 2) + little(entrySize, 2) + little(segments.count, 2)
        header += little(is64 ? 64 : 40, 2) + little(symbols.isEmpty ? 0 : 3, 2) + little(0, 2)
        return header + table + data + sections + sectionTable
    }

    private func symbolSections(at start: Int) -> (data: [UInt8], table: [UInt8]) {
        guard !symbols.isEmpty else { return ([], []) }
        var names: [UInt8] = [0]
        var entries: [UInt8] = []
        for symbol in symbols {
            let name = little(names.count, 4)
            names += Array(symbol.name.utf8) + [0]
            entries +=
                is64
                ? name + [0, 0] + little(1, 2) + word(symbol.address) + word(4)
                : name + word(symbol.address) + word(4) + [0, 0] + little(1, 2)
        }
        func header(_ type: Int, _ offset: Int, _ size: Int, _ link: Int) -> [UInt8] {
            little(0, 4) + little(type, 4) + word(0) + word(0) + word(UInt64(offset))
                + word(UInt64(size)) + little(link, 4) + little(0, 4) + word(1) + word(0)
        }
        let table =
            header(0, 0, 0, 0) + header(2, start, entries.count, 2)
            + header(3, start + entries.count, names.count, 0)
        return (entries + names, table)
    }
}

@Suite struct ELFImageTests {
    private static let sound = ELFFile(
        segments: [
            .init(address: 0x100, bytes: [5, 6]), .init(address: 0, bytes: [1, 2, 3, 4]),
            .init(address: 0x2000_0000, bytes: [], memorySize: 100),
            .init(type: 0x6474_e551, address: 0, bytes: [9]),
        ], symbols: [("main", 0x101), ("_SEGGER_RTT", 0x2000_0010)])

    @Test(arguments: [false, true])
    func readsSegmentsInOrder(_ is64: Bool) throws {
        var file = Self.sound
        file.is64 = is64
        let image = try ELFImage(file.bytes)
        #expect(image.segments.map(\.address) == [0, 0x100])
        #expect(image.segments.map { Array($0.bytes) } == [[1, 2, 3, 4], [5, 6]])
        #expect(image.entry == 9 && image.machine == 40 && image.byteCount == 6)
        #expect(try image.symbol(named: "_SEGGER_RTT") == .init(address: 0x2000_0010, size: 4))
        #expect(try image.symbol(named: "_SEGGER") == nil)
        #expect(try image.symbol(named: "SEGGER_RTT") == nil)
    }

    /// System V ABI: one symbol table. To search the same one for each of 50,000 section headers would
    /// take hours. (A limit of time would count the time in which other tests have all threads.)
    @Test func onlyOneSymbolTableIsSearched() throws {
        var bytes = ELFFile(
            segments: [.init(address: 0, bytes: [1])],
            symbols: (0..<5_000).map { ("s\($0)", 1) }
        ).bytes
        let table = (0..<4).reduce(0) { $0 | Int(bytes[32 + $1]) << (8 * $1) }
        let headers = (0..<Int(bytes[48])).map { bytes[(table + 40 * $0)...].prefix(40) }
        let symbolTable = try #require(headers.first { $0[$0.startIndex + 4] == 2 })
        let (moved, count) = (bytes.count, 50_000)
        bytes += headers.joined()
        for _ in headers.count..<count { bytes += symbolTable }
        // e_shoff and e_shnum
        for index in 0..<4 { bytes[32 + index] = UInt8(truncatingIfNeeded: moved >> (8 * index)) }
        for index in 0..<2 { bytes[48 + index] = UInt8(truncatingIfNeeded: count >> (8 * index)) }
        let image = try ELFImage(bytes)
        #expect(try image.symbol(named: "s4999")?.address == 1)
        #expect(try image.symbol(named: "none") == nil)
    }

    private func expectInvalid(_ segments: [ELFFile.Segment], is64: Bool = false) {
        expectError(.imageInvalid) { () throws(ProvisioningError) in
            try ELFImage(ELFFile(is64: is64, segments: segments).bytes)
        }
    }

    @Test func refusesUnsoundSegments() {
        expectInvalid([])
        expectInvalid([.init(address: 0, bytes: [], memorySize: 4)])
        expectInvalid([.init(address: 0, bytes: [1, 2, 3]), .init(address: 2, bytes: [1])])
        expectInvalid([.init(address: 0, bytes: [1], memorySize: 0)])
        expectInvalid([.init(address: 0, bytes: [1], offset: 200)])
        expectInvalid([.init(address: 0, bytes: [1], memorySize: 1 << 31, fileSize: 1 << 31)])
        expectInvalid([.init(address: 0xffff_ffff, bytes: [1, 2])])
        expectInvalid([.init(address: .max, bytes: [1, 2])], is64: true)
        expectInvalid([.init(address: 0, bytes: [1], offset: .max)], is64: true)
        expectInvalid(
            [.init(address: 0, bytes: [1], memorySize: .max, fileSize: .max)], is64: true)
    }

    @Test func refusesOtherFiles() {
        for (index, value) in [(0, 0x7e), (4, 3), (5, 2), (6, 0), (16, 1), (16, 3), (42, 31)] {
            var bytes = Self.sound.bytes
            bytes[index] = UInt8(value)
            expectError(.imageInvalid) { () throws(ProvisioningError) in try ELFImage(bytes) }
        }
        expectError(.imageInvalid) { () throws(ProvisioningError) in try ELFImage([]) }
    }

    @Test(arguments: [false, true])
    func anyCutOrFlippedHeaderByteIsHandled(_ is64: Bool) {
        var file = Self.sound
        file.is64 = is64
        let bytes = file.bytes
        // Everything up to the end of the data is needed.
        let needed = (is64 ? 64 + 4 * 56 : 52 + 4 * 32) + 6
        for count in 0..<needed {
            expectError(.imageInvalid) { () throws(ProvisioningError) in
                try ELFImage(Array(bytes[..<count]))
            }
        }
        for index in bytes.indices {
            for value in [0x00, 0x7f, 0x80, 0xff] as [UInt8] {
                var mutated = bytes
                mutated[index] = value
                _ = try? ELFImage(mutated).symbol(named: "main")
            }
        }
    }
}
