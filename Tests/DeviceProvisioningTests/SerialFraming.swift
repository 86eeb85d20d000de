import Foundation

/// The host's side of the SMP console framing, written apart from the product's.
enum SerialFraming {
    static func frame(_ message: [UInt8], lineLength: Int = 124) -> [UInt8] {
        let crc = crc16(message)
        let length = message.count + 2
        let packet =
            [UInt8(length >> 8), UInt8(length & 0xff)] + message
            + [UInt8(crc >> 8), UInt8(crc & 0xff)]
        let text = Array(Data(packet).base64EncodedString().utf8)
        return stride(from: 0, to: text.count, by: lineLength).flatMap { start -> [UInt8] in
            let line = text[start..<min(start + lineLength, text.count)]
            return (start == 0 ? [0x06, 0x09] : [0x04, 0x14]) + line + [0x0a]
        }
    }

    /// The messages in what a device wrote; nil if anything in it is not a frame.
    static func messages(_ output: [UInt8]) -> [[UInt8]]? {
        var messages: [[UInt8]] = []
        var packet: [UInt8] = []
        for line in output.split(separator: 0x0a) {
            guard line.count > 2, line.count <= 126,
                let data = Data(base64Encoded: Data(line.dropFirst(2)))
            else { return nil }
            switch Array(line.prefix(2)) {
            case [0x06, 0x09]: packet = Array(data)
            case [0x04, 0x14] where !packet.isEmpty: packet += data
            default: return nil
            }
            let length = Int(packet[0]) << 8 | Int(packet[1])
            guard packet.count >= length + 2 else { continue }
            let message = Array(packet[2..<length])
            let crc = UInt16(packet[length]) << 8 | UInt16(packet[length + 1])
            guard packet.count == length + 2, crc == crc16(message) else { return nil }
            messages.append(message)
            packet = []
        }
        return packet.isEmpty ? messages : nil
    }

    static func crc16(_ bytes: [UInt8]) -> UInt16 {
        bytes.reduce(0) { crc, byte in
            (0..<8).reduce(crc ^ UInt16(byte) << 8) { crc, _ in
                crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1
            }
        }
    }
}
