/// Base64 with padding and nothing else, RFC 4648 §4.
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    private static let values: [UInt8?] = {
        var values = [UInt8?](repeating: nil, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    static func isPart(_ byte: UInt8) -> Bool { byte == padding || values[Int(byte)] != nil }

    static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                output.append(alphabet[Int(bits >> bitCount & 63)])
            }
        }
        if bitCount > 0 { output.append(alphabet[Int(bits << (6 - bitCount) & 63)]) }
        while !output.count.isMultiple(of: 4) { output.append(padding) }
        return output
    }

    /// Nil unless `text` is whole groups of four, padded only at the end and with zero bits.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let characters = Array(text)
        guard characters.count.isMultiple(of: 4) else { return nil }
        let padded = characters.suffix(2).count { $0 == padding }
        let digits = characters.dropLast(padded)
        var output: [UInt8] = []
        output.reserveCapacity(characters.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount = 0
        for character in digits {
            guard let value = values[Int(character)] else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
            bits &= 0xFF
        }
        return bits & (1 << UInt32(bitCount) - 1) == 0 ? output : nil
    }
}
