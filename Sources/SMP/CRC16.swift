/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected. "123456789" is 0x31C3.
enum CRC16 {
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var remainder: UInt16 = 0
        for byte in bytes {
            remainder ^= UInt16(byte) << 8
            for _ in 0..<8 {
                remainder = remainder & 0x8000 == 0 ? remainder << 1 : remainder << 1 ^ 0x1021
            }
        }
        return remainder
    }
}
