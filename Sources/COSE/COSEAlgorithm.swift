/// A COSE algorithm identifier, RFC 9053 §2 and RFC 9864. Unknown ones are kept as they are.
public struct COSEAlgorithm: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Reserved, RFC 9053 §2: here for a key of which nothing says what it is for.
    public static let unspecified = COSEAlgorithm(rawValue: 0)
    /// ECDSA with SHA-256 on whatever curve the key says. RFC 9053 §2.1.
    public static let es256 = COSEAlgorithm(rawValue: -7)
    /// ECDSA with SHA-256 on P-256. RFC 9864 §2.1.
    public static let esp256 = COSEAlgorithm(rawValue: -9)
    /// EdDSA on whatever curve the key says. RFC 9053 §2.2.
    public static let edDSA = COSEAlgorithm(rawValue: -8)
    /// EdDSA on Curve25519. RFC 9864 §2.2.
    public static let ed25519 = COSEAlgorithm(rawValue: -19)
    /// ECDSA with SHA-384 on whatever curve the key says. RFC 9053 §2.1.
    public static let es384 = COSEAlgorithm(rawValue: -35)
    /// ECDSA with SHA-512 on whatever curve the key says. RFC 9053 §2.1.
    public static let es512 = COSEAlgorithm(rawValue: -36)
}

extension COSEAlgorithm: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unspecified: "unspecified"
        case .es256: "ES256"
        case .esp256: "ESP256"
        case .edDSA: "EdDSA"
        case .ed25519: "Ed25519"
        case .es384: "ES384"
        case .es512: "ES512"
        default: "algorithm \(rawValue)"
        }
    }
}
