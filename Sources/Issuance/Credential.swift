public import COSE

/// What a credential slot of the device holds; the numbers of the device contract.
public enum CredentialType: UInt64, CaseIterable, Sendable, Hashable {
    /// A CBOR array of DER certificates, leaf first, as in COSE `x5chain` (RFC 9360).
    case x509Chain = 1
    /// A tagged COSE_Sign1 with a CWT claims set that has `cnf`, RFC 8392 and RFC 8747.
    case cwt = 2
    /// A CBOR array of DER certificates that the device may trust.
    case trustAnchors = 3
}

/// One credential, exactly as it is delivered.
public struct Credential: Hashable, Sendable {
    public let type: CredentialType
    /// The bytes that the device stores.
    public let bytes: [UInt8]
    /// The X.509 serial number (positive, at most 20 octets, big endian, RFC 5280 §4.1.2.2) or the
    /// CWT ID (`cti`); empty for trust anchors.
    public let serialNumber: [UInt8]
    /// SHA-256 of the issuing key's SubjectPublicKeyInfo, 32 octets.
    public let issuer: [UInt8]
    public let notBefore: NumericDate
    /// Nil: no expiry (X.509: 99991231235959Z, RFC 5280 §4.1.2.5).
    public let notAfter: NumericDate?

    public init(
        type: CredentialType, bytes: [UInt8], serialNumber: [UInt8], issuer: [UInt8],
        notBefore: NumericDate, notAfter: NumericDate?
    ) {
        self.type = type
        self.bytes = bytes
        self.serialNumber = serialNumber
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}
