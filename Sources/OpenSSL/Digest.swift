import COpenSSL

/// SHA-256, FIPS 180-4.
public enum SHA256 {
    /// Octets in a digest.
    public static let length = 32

    /// The 32-octet digest of `message`.
    public static func hash(_ message: some Sequence<UInt8>) -> [UInt8] {
        let message = Array(message)
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            _ = COpenSSL.SHA256(message, message.count, buffer.baseAddress)
            count = length
        }
    }
}

/// SHA-1, FIPS 180-4: only for key identifiers, which need no collision resistance.
enum SHA1 {
    static func hash(_ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
            _ = COpenSSL.SHA1(message, message.count, buffer.baseAddress)
            count = 20
        }
    }
}
