/// What a stored credential is. Others than these are the firmware's own business.
public struct CredentialType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A CBOR array of DER certificates, leaf first, as COSE x5chain, RFC 9360.
    public static let x509Chain = CredentialType(rawValue: 1)
    /// RFC 8392.
    public static let cwt = CredentialType(rawValue: 2)
    /// A CBOR array of DER certificates.
    public static let trustAnchors = CredentialType(rawValue: 3)
}
