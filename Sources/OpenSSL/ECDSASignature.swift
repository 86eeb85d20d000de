/// The two encodings of a P-256 ECDSA signature: COSE's `r ‖ s` and X.509's DER.
public enum ECDSASignature {
    /// Octets of `r ‖ s` for P-256, RFC 9053 §2.1.
    public static let rawLength = 64

    /// DER `SEQUENCE { INTEGER r, INTEGER s }`, or nil if `raw` is not 64 octets long.
    public static func der(fromRaw raw: [UInt8]) -> [UInt8]? {
        guard raw.count == rawLength else { return nil }
        let body = integer(raw[..<32]) + integer(raw[32...])
        return [0x30, UInt8(body.count)] + body
    }

    /// `r ‖ s`, or nil if `der` is not exactly one minimal DER signature of P-256 size.
    public static func raw(fromDER der: [UInt8]) -> [UInt8]? {
        guard der.count >= 8, der[0] == 0x30, Int(der[1]) == der.count - 2 else { return nil }
        var rest = der[2...]
        guard let r = scalar(&rest), let s = scalar(&rest), rest.isEmpty else { return nil }
        return r + s
    }

    private static func integer(_ scalar: ArraySlice<UInt8>) -> [UInt8] {
        var magnitude = Array(scalar.drop { $0 == 0 })
        if magnitude.isEmpty || magnitude[0] & 0x80 != 0 { magnitude.insert(0, at: 0) }
        return [0x02, UInt8(magnitude.count)] + magnitude
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
