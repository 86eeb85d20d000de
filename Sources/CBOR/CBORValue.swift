/// One CBOR data item, RFC 8949.
public enum CBORValue: Hashable, Sendable {
    case unsigned(UInt64)
    /// The integer −1 − n: n as it stands on the wire.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    case map(CBORMap)
    indirect case tagged(UInt64, CBORValue)
    /// `false` is 20, `true` 21, `null` 22, `undefined` 23.
    case simple(UInt8)
    case float(Double)
}
