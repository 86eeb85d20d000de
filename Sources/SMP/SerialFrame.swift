/// The SMP console framing: a message as base64 lines among log text.
/// Zephyr include/zephyr/mgmt/mcumgr/transport/serial.h.
///
///     06 09 | base64 of: length (2, big-endian, counts message and checksum), message … | 0A
///     04 14 | base64 of: … message, CRC-16/XMODEM of the message (2, big-endian)        | 0A
///
/// The base64 of each line decodes on its own.
public enum SerialFrame {
    /// Bytes of a line with marker and line feed: MCUMGR_SERIAL_MAX_FRAME.
    public static let maximumLineLength = 127
    /// Bytes of message that the 16-bit length can count, the checksum being in it.
    public static let maximumMessageLength = Int(UInt16.max) - checksumLength

    static let checksumLength = 2
    static let first: [UInt8] = [0x06, 0x09]
    static let continuation: [UInt8] = [0x04, 0x14]
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D

    /// The lines that carry `message`, each with its line feed and at most `lineLength` bytes long,
    /// of which 7 are the fewest that carry anything.
    ///
    /// Receivers with small buffers need a pause between the lines.
    public static func lines(
        of message: [UInt8], lineLength: Int = maximumLineLength
    ) throws(SMPError) -> [[UInt8]] {
        guard message.count <= maximumMessageLength else {
            throw .tooLong(byteCount: message.count, limit: maximumMessageLength)
        }
        let length = UInt16(message.count + checksumLength)
        let checksum = CRC16.checksum(message)
        let packet =
            [UInt8(length >> 8), UInt8(length & 0xFF)] + message
            + [UInt8(checksum >> 8), UInt8(checksum & 0xFF)]
        let step = max(1, (lineLength - first.count - 1) / 4) * 3
        return stride(from: 0, to: packet.count, by: step).map { start in
            let marker = start == 0 ? first : continuation
            return marker + Base64.encode(packet[start...].prefix(step)) + [lineFeed]
        }
    }
}
