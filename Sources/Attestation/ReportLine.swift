/// The evidence in a log line: how a device that can't be asked reports its key.
///
/// `PROVISION-EVIDENCE-1 ` and base64url (RFC 4648 §5, without padding), anywhere in a line.
public enum ReportLine {
    public static let marker = "PROVISION-EVIDENCE-1 "

    /// The evidence in `line`, whose nonce is the device's own choice; nil if it has no marker.
    ///
    /// What follows the base64url is ignored: colour codes, a timestamp, a line end.
    ///
    /// - Throws: `EvidenceError` if a marker is there and no evidence.
    public static func evidence(in line: some Collection<UInt8>) throws(EvidenceError) -> Evidence?
    {
        let line = Array(line)
        let marker = Array(Self.marker.utf8)
        guard let start = line.firstRange(of: marker)?.upperBound else { return nil }
        return try evidence(encodedIn: line[start...])
    }

    /// The evidence whose base64url `text` begins with.
    static func evidence(encodedIn text: ArraySlice<UInt8>) throws(EvidenceError) -> Evidence {
        let digits = text.prefix { sextet($0) != nil }
        guard digits.count <= maximumDigitCount else {
            throw .oversized(digits.count / 4 * 3)
        }
        guard let bytes = decode(digits) else { throw .encoding }
        return try Evidence(bytes)
    }

    /// The same for a line that is a string already.
    public static func evidence(in line: String) throws(EvidenceError) -> Evidence? {
        try evidence(in: Array(line.utf8))
    }

    static let maximumDigitCount = (Evidence.maximumLength * 4 + 2) / 3

    /// Nil unless `digits` are the one base64url encoding of some octets.
    private static func decode(_ digits: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var pending: UInt32 = 0
        var bitCount = 0
        for digit in digits {
            guard let value = sextet(digit) else { return nil }
            pending = pending << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bitCount)))
                pending &= (1 << UInt32(bitCount)) - 1
            }
        }
        // RFC 4648 §3.5: the bits behind the last octet are zero, and fewer than six.
        return bitCount < 6 && pending == 0 ? bytes : nil
    }

    static func isDigit(_ octet: UInt8) -> Bool { sextet(octet) != nil }

    static func sextet(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
