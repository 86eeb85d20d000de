public import COSE

/// All that a credential will say: decided before anything is signed, so that it can be shown,
/// recorded and tested without a key.
public struct IssuancePlan: Hashable, Sendable {
    /// Subject `serialNumber` (X.509) and `sub` (CWT): lower-case hexadecimal of the device ID.
    public var deviceID: String
    /// The board type: goes into the subject's `commonName`, and into a claim of its own.
    public var board: String
    /// The uncompressed P-256 point of the device's key, 65 octets; or its x alone, 32, for a CWT.
    public var publicKey: [UInt8]
    public var types: Set<CredentialType>
    /// One for each X.509 chain and CWT, random, positive, 16 octets. Taken as an argument: the
    /// core has no entropy.
    public var serialNumbers: [CredentialType: [UInt8]]
    public var notBefore: NumericDate
    /// Nil: no expiry.
    public var notAfter: NumericDate?

    public init(
        deviceID: String, board: String, publicKey: [UInt8], types: Set<CredentialType>,
        serialNumbers: [CredentialType: [UInt8]], notBefore: NumericDate, notAfter: NumericDate?
    ) {
        self.deviceID = deviceID
        self.board = board
        self.publicKey = publicKey
        self.types = types
        self.serialNumbers = serialNumbers
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}
