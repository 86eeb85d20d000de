import CBOR
import Provisioning

/// How a tool prints what it read of a chip. Each format is read strictly: a line that is not of its form
/// is skipped, and whatever is missing, doubled or too much refuses the whole output.
public enum DeviceIDFormat: String, CaseIterable, Sendable, Hashable {
    /// Words alone: `995576f3 88038613`. probe-rs' `read`.
    case probeRS = "probe-rs"
    /// `10000060:  995576f3 88038613    |.v.U....|`. pyOCD's `read32`.
    case pyOCD = "pyocd"
    /// `0x10000060: 995576f3 88038613`. OpenOCD's `mdw`.
    case openOCD = "openocd"
    /// `10000060 = 995576F3 88038613`. J-Link Commander's `mem32`.
    case jLink = "jlink"
    /// `MAC: 7c:df:a1:00:11:22`, or `BASE MAC:` where the chip has a longer one, too. esptool's `read-mac`.
    case esptoolMAC = "esptool-mac"
    /// `MAC address:       7c:df:a1:00:11:22`. espflash's `board-info`.
    case espflashMAC = "espflash-mac"
    /// The ID itself in hexadecimal on one line, and nothing else. Colons, dashes and white space may part its
    /// bytes.
    case hexadecimal = "hex"

    /// Whether it prints words from an address, of which the platform says what they are.
    public var isOfMemory: Bool {
        switch self {
        case .probeRS, .pyOCD, .openOCD, .jLink: true
        case .esptoolMAC, .espflashMAC, .hexadecimal: false
        }
    }

    /// Bytes of memory, in the order of their addresses.
    ///
    /// - Parameters:
    ///   - lines: what the tool printed, at most `maximumLineCount` of them.
    ///   - region: what was asked for: whole words.
    /// - Returns: nil unless exactly these words are there, once.
    package func memory(in lines: [String], of region: AddressRange) -> [UInt8]? {
        var words: [UInt32] = []
        for line in lines {
            guard let found = self.words(in: line) else { continue }
            if let address = found.address {
                guard address == region.address + UInt64(4 * words.count) else { return nil }
            }
            words += found.words
            guard 4 * words.count <= region.length else { return nil }
        }
        guard 4 * words.count == region.length else { return nil }
        return words.flatMap { word in
            stride(from: UInt32(0), to: 32, by: 8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }

    /// The ID itself, where the tool knows it: 1 to 64 bytes.
    package func id(in lines: [String]) -> [UInt8]? {
        switch self {
        case .esptoolMAC:
            // ESP32-C6 and H2 have a MAC of eight bytes, which is made of this one.
            return Self.only(lines.compactMap { Self.address(in: $0, behind: "BASE MAC:") })
                ?? Self.only(lines.compactMap { Self.address(in: $0, behind: "MAC:") })
        case .espflashMAC:
            return Self.only(lines.compactMap { Self.address(in: $0, behind: "MAC address:") })
        case .hexadecimal:
            // Two lines may be two boards, or a number and the ID: no ID is made of both.
            let lines = lines.filter { !Self.trimmed($0[...]).isEmpty }
            guard let line = lines.first, lines.count == 1 else { return nil }
            let digits = Self.trimmed(line[...]).utf8.filter { byte in
                ![UInt8(ascii: " "), UInt8(ascii: ":"), UInt8(ascii: "-"), 0x09].contains(byte)
            }
            guard let bytes = [UInt8](hexadecimal: digits), (1...64).contains(bytes.count) else {
                return nil
            }
            return bytes
        case .probeRS, .pyOCD, .openOCD, .jLink: return nil
        }
    }

    // MARK: Words

    private func words(in line: String) -> (address: UInt64?, words: [UInt32])? {
        switch self {
        case .probeRS:
            return Self.words(line).map { (nil, $0) }
        case .pyOCD:
            // Behind the words is what they are as text, whatever that may look like.
            let words = line.prefix { $0 != "|" }
            return Self.dump(words, separator: ":", prefix: "")
        case .openOCD: return Self.dump(line, separator: ":", prefix: "0x")
        case .jLink: return Self.dump(line, separator: "=", prefix: "")
        case .esptoolMAC, .espflashMAC, .hexadecimal: return nil
        }
    }

    private static func dump(
        _ line: some StringProtocol, separator: Character, prefix: String
    ) -> (address: UInt64?, words: [UInt32])? {
        let parts = line.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let name = trimmed(parts[0])
        guard name.hasPrefix(prefix), let address = number(name.dropFirst(prefix.count)),
            let words = words(parts[1])
        else { return nil }
        return (UInt64(address), words)
    }

    /// At least one word of eight digits each, and nothing else.
    private static func words(_ text: some StringProtocol) -> [UInt32]? {
        var words: [UInt32] = []
        for part in text.split(whereSeparator: \.isWhitespace) {
            guard let word = number(part) else { return nil }
            words.append(word)
        }
        return words.isEmpty ? nil : words
    }

    /// Eight hexadecimal digits.
    private static func number(_ text: some StringProtocol) -> UInt32? {
        guard text.utf8.count == 8, text.utf8.allSatisfy({ $0.hexadecimalValue != nil })
        else { return nil }
        return UInt32(text, radix: 16)
    }

    // MARK: MAC addresses

    /// All of them, if they are one and the same: esptool may say it twice.
    private static func only(_ found: [[UInt8]]) -> [UInt8]? {
        guard let first = found.first, found.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    /// Six bytes with colons between.
    private static func address(in line: String, behind label: String) -> [UInt8]? {
        let line = trimmed(line[...])
        guard line.hasPrefix(label) else { return nil }
        let bytes = trimmed(line.dropFirst(label.count))
            .split(separator: ":", omittingEmptySubsequences: false)
        guard bytes.count == 6, bytes.allSatisfy({ $0.utf8.count == 2 }) else { return nil }
        return [UInt8](hexadecimal: Array(bytes.joined().utf8))
    }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        var text = Substring(text)[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
