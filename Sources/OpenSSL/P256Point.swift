internal import COpenSSL

/// A point of the curve P-256 as octets, SEC 1 §2.3.
public enum P256Point {
    /// Octets of one coordinate.
    public static let coordinateLength = 32

    /// `0x04 ‖ x ‖ y` of the point that has this x and the y of this parity, SEC 1 §2.3.4.
    ///
    /// - Throws: `OpenSSLError` if `x` is not 32 octets long or no point of the curve has it.
    public static func decompress(x: [UInt8], isYOdd: Bool) throws(OpenSSLError) -> [UInt8] {
        let operation = "decompress the public key"
        guard x.count == coordinateLength else {
            throw OpenSSLError(
                operation, reason: "expected \(coordinateLength) octets of x, not \(x.count)")
        }
        guard let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1) else {
            throw .last(operation)
        }
        defer { EC_GROUP_free(group) }
        guard let point = EC_POINT_new(group) else { throw .last(operation) }
        defer { EC_POINT_free(point) }
        let compressed = [isYOdd ? 0x03 : 0x02] + x
        guard EC_POINT_oct2point(group, point, compressed, compressed.count, nil) == 1 else {
            throw .last(operation)
        }
        var uncompressed = [UInt8](repeating: 0, count: VerificationKey.pointLength)
        let length = EC_POINT_point2oct(
            group, point, POINT_CONVERSION_UNCOMPRESSED, &uncompressed, uncompressed.count, nil)
        guard length == uncompressed.count else { throw .last(operation) }
        return uncompressed
    }
}
