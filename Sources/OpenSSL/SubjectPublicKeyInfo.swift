/// SubjectPublicKeyInfo of a P-256 key with an uncompressed point, RFC 5480 §2.
///
/// Everything but the point is constant, so that writing and reading it needs no decoder, and
/// another curve, explicit parameters or a compressed point can't slip in.
public enum SubjectPublicKeyInfo {
    private static let prefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13,
        0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,  // id-ecPublicKey
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07,  // secp256r1
        0x03, 0x42, 0x00,
    ]

    /// The DER encoding for a point of 65 octets.
    public static func der(p256 point: [UInt8]) -> [UInt8] { prefix + point }

    /// The point's 65 octets, not yet checked to be on the curve; nil if `der` is anything but the
    /// DER encoding of a P-256 key with an uncompressed point.
    public static func p256Point(fromDER der: some Collection<UInt8>) -> [UInt8]? {
        guard der.count == prefix.count + VerificationKey.pointLength, der.starts(with: prefix)
        else { return nil }
        let point = Array(der.dropFirst(prefix.count))
        return point[0] == 0x04 ? point : nil
    }
}
