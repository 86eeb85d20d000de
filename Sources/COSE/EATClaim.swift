/// Keys of the claims of an Entity Attestation Token, RFC 9711 §4 and §10.2.
public enum EATClaim {
    public static let nonce: Int64 = 10
    /// Universal Entity ID, §4.2.1.
    public static let ueid: Int64 = 256
    public static let hardwareModel: Int64 = 259
    /// §4.3.2: the profile that the token conforms to.
    public static let profile: Int64 = 265
    public static let intendedUse: Int64 = 275

    /// Octets of a nonce, §4.1.
    public static let nonceLength = 8...64
}

/// What an attester made a token for, RFC 9711 §4.3.3.
public enum IntendedUse: UInt64, Sendable, Hashable {
    case generic = 1
    case registration = 2
    case provisioning = 3
    case certificateIssuance = 4
    case proofOfPossession = 5
}
