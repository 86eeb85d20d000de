public import Attestation

/// Why it may be believed that a new key replaces the earlier key of the same device.
public enum ReplacementGround: String, CaseIterable, Sendable, Hashable {
    /// This run flashed the device.
    case flashed
    /// The probe read the same device ID.
    case probeRead = "probe-read"
    /// The user said so: `--replace-key`.
    case userRequest = "user-request"
}

/// What a run asks the registry to record: a key, whose possession was proven unless the claim says
/// otherwise.
public struct RegistrationClaim: Sendable, Hashable {
    public var identity: DeviceIdentity
    /// The 32-bit key ID in the device's persistent key store.
    public var keyID: UInt32
    /// COSE algorithm, e.g. −7 (ES256).
    public var algorithm: Int64
    /// SEC 1 uncompressed point, 65 octets for P-256; x alone, 32, where the device names no y.
    public var publicKey: [UInt8]
    /// COSE Key Thumbprint with SHA-256, RFC 9679: 32 octets. The key's name everywhere.
    public var thumbprint: [UInt8]
    /// The evidence as received, kept for audit.
    public var evidence: [UInt8]
    public var basis: AttestationBasis
    /// Whether the private key was made outside the device.
    public var isImported: Bool
    /// SHA-256 of the image that this run flashed.
    public var firmwareDigest: [UInt8]?
    /// Empty: a known device can't get another key, nor lose one, only be found.
    public var grounds: Set<ReplacementGround>
    /// Whether this run erased the device's keys: those under other key IDs are gone too.
    public var hasErasedKeys: Bool
    /// False: only a log line, which anybody could have written, names the key.
    public var isPossessionProven: Bool
    /// How many keys a device may get for the same image within a day, before it is taken for one that
    /// makes a new key at each boot; nil: as many as come.
    public var recentKeyLimit: Int?

    public init(
        identity: DeviceIdentity, keyID: UInt32, algorithm: Int64, publicKey: [UInt8],
        thumbprint: [UInt8], evidence: [UInt8], basis: AttestationBasis, isImported: Bool,
        firmwareDigest: [UInt8]?, grounds: Set<ReplacementGround>, hasErasedKeys: Bool = false,
        isPossessionProven: Bool = true, recentKeyLimit: Int? = nil
    ) {
        self.identity = identity
        self.keyID = keyID
        self.algorithm = algorithm
        self.publicKey = publicKey
        self.thumbprint = thumbprint
        self.evidence = evidence
        self.basis = basis
        self.isImported = isImported
        self.firmwareDigest = firmwareDigest
        self.grounds = grounds
        self.hasErasedKeys = hasErasedKeys
        self.isPossessionProven = isPossessionProven
        self.recentKeyLimit = recentKeyLimit
    }
}
