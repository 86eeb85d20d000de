/// What gives an emulated board its identity, where the emulated chip has none of its own or the same
/// in every process.
///
///     offset  bytes
///     0       8       "PRVFACT1"
///     8       4       length of the ID, 1…64, little endian
///     12      length  the ID
///     …       4       CRC-32 (ISO-HDLC) of everything before it, little endian, unaligned
public enum FactoryPage {
    /// Where the ID begins, in bytes from the page's.
    public static let idOffset = 12

    /// The page's beginning; the rest of it is as it was.
    static func bytes(id: [UInt8]) -> [UInt8] {
        let checked = Array("PRVFACT1".utf8) + littleEndian(UInt32(id.count)) + id
        return checked + littleEndian(crc32(checked))
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    /// CRC-32/ISO-HDLC, as in zlib. ITU-T V.42 §8.1.1.6.2.
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~crc
    }
}
