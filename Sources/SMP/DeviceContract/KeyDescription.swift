internal import CBOR

/// A key of the device, as the device tells it.
public struct KeyDescription: Hashable, Sendable {
    public let keyID: UInt32
    /// COSE algorithm, RFC 9053: −7 is ES256.
    public let algorithm: Int64
    /// SEC1 uncompressed point or raw EdDSA key. Its length fits the algorithm where that is known;
    /// whether it is a point of the curve is for the verifier to find out.
    public let publicKey: [UInt8]
    /// Whether the key came from outside: someone else may have it.
    public let isImported: Bool

    /// The longest of an algorithm that this host does not know: a P-521 point.
    private static let maximumPublicKeyLength = 133

    /// Octets. SEC1 §2.3.3, RFC 8032; COSE algorithms of RFC 9053 and RFC 9864.
    private static let publicKeyLengths: [Int64: Set<Int>] = [
        -7: [65], -9: [65], -35: [97], -51: [97], -36: [133], -52: [133],
        -8: [32, 57], -19: [32], -53: [57],
    ]

    init(_ payload: CBORMap, expecting expected: UInt32?) throws(SMPError) {
        let reader = PayloadReader(payload, of: "key")
        keyID = try reader.uint32("kid")
        if let expected, keyID != expected {
            throw reader.wrong("kid", "\(keyID), asked for \(expected)")
        }
        algorithm = try reader.integer("alg")
        publicKey = try reader.bytes("pub", count: 1...Self.maximumPublicKeyLength)
        if let lengths = Self.publicKeyLengths[algorithm], !lengths.contains(publicKey.count) {
            throw reader.wrong("pub", "\(publicKey.count) bytes for algorithm \(algorithm)")
        }
        isImported = try reader.bool("imported")
    }
}
