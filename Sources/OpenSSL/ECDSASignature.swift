/// The two encodings of a P-256 ECDSA signature: COSE's `r ‖ s` and X.509's DER.
public enum ECDSASignature {
    /// Octets of `r ‖ s` for P-256, RFC 9053 §2.1.
    public static let rawLength = 64

    /// DER `SEQUENCE { INTEGER r, INTEGER s }`, or nil if `raw` is not 64 octets long.
    public static func der(fromRaw raw: [UInt8]) -> [UInt8]? {
        guard raw.count == rawLength else { return nil }
        // Two integers of 33 octets at most, and three heads.
        var der: [UInt8] = []
        der.reserveCapacity(rawLength + 8)
        der += [0x30, 0x00]
        append(raw[..<32], to: &der)
        append(raw[32...], to: &der)
        der[1] = UInt8(der.count - 2)
        return der
    }

    /// `r ‖ s`, or nil if `der` is not exactly one minimal DER signature of P-256 size.
    public static func raw(fromDER der: [UInt8]) -> [UInt8]? {
        guard der.count >= 8, der[0] == 0x30, Int(der[1]) == der.count - 2 else { return nil }
        var rest = der[2...]
        guard let r = scalar(&rest), let s = scalar(&rest), rest.isEmpty else { return nil }
        return r + s
    }

    /// As a DER INTEGER: as short as can be, and never negative.
    private static func append(_ scalar: ArraySlice<UInt8>, to der: inout [UInt8]) {
        let magnitude = scalar.drop { $0 == 0 }
        let needsZero = magnitude.first.map { $0 & 0x80 != 0 } ?? true
        der.append(0x02)
        der.append(UInt8(magnitude.count + (needsZero ? 1 : 0)))
        if needsZero { der.append(0x00) }
        der += magnitude
    }

    private static func scalar(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.count >= 3, rest.popFirst() == 0x02, let length = rest.popFirst().map(Int.init),
            (1...33).contains(length), rest.count >= length
        else { return nil }
        let value = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
        guard value[0] & 0x80 == 0 else { return nil }
        if length > 1, value[0] == 0, value[1] & 0x80 == 0 { return nil }
        let magnitude = value.drop { $0 == 0 }
        guard magnitude.count <= 32 else { return nil }
        return [UInt8](repeating: 0, count: 32 - magnitude.count) + magnitude
    }
}
