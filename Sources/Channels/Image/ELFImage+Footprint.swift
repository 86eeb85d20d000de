public import Provisioning

extension ELFImage {
    /// What an image takes on its chip, in bytes. Flash holds text and data; RAM holds data and bss.
    public struct Footprint: Sendable, Hashable, CustomStringConvertible {
        /// Code and constants.
        public var text: UInt64 = 0
        /// Variables with an initial value.
        public var data: UInt64 = 0
        /// Variables that start as zero.
        public var bss: UInt64 = 0

        public var description: String { "text \(text), data \(data), bss \(bss)" }
    }

    private static let writable: UInt32 = 2

    /// - Throws: `.imageInvalid` if a program header is malformed.
    public func footprint() throws(ProvisioningError) -> Footprint {
        var footprint = Footprint()
        for header in try Self.programHeaders(reader)
        where try reader.u32(at: header) == Self.loadable {
            let fileSize = try reader.word(at: header + (reader.is64 ? 32 : 16))
            let memorySize = try reader.word(at: header + (reader.is64 ? 40 : 20))
            let flags = try reader.u32(at: header + (reader.is64 ? 4 : 24))
            guard fileSize <= memorySize else {
                throw ELFReader.invalid(
                    "a segment with \(fileSize) bytes in the file, \(memorySize) in memory")
            }
            if flags & Self.writable == 0 {
                footprint.text &+= memorySize
            } else {
                footprint.data &+= fileSize
                footprint.bss &+= memorySize - fileSize
            }
        }
        return footprint
    }
}
