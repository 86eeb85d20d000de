public import Attestation
public import COSE
public import Issuance

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

/// Where a key stands in its life. `pending → active → revoked`, never back, but for an explicit
/// reinstatement that the log shows.
public enum KeyState: String, CaseIterable, Sendable, Hashable {
    /// Registered; the device has not yet proven that it holds its credential.
    case pending
    case active
    case revoked
}

/// Why a key or certificate was revoked: CRLReason, RFC 5280 §5.3.1.
public enum RevocationReason: Int, CaseIterable, Sendable, Hashable {
    case unspecified = 0
    case keyCompromise = 1
    case caCompromise = 2
    case affiliationChanged = 3
    case superseded = 4
    case cessationOfOperation = 5
    case certificateHold = 6
    case privilegeWithdrawn = 9
    case aaCompromise = 10
}

extension RevocationReason {
    /// RFC 5280's name with hyphens: in messages, on the command line and in JSON.
    public var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .keyCompromise: "key-compromise"
        case .caCompromise: "ca-compromise"
        case .affiliationChanged: "affiliation-changed"
        case .superseded: "superseded"
        case .cessationOfOperation: "cessation-of-operation"
        case .certificateHold: "certificate-hold"
        case .privilegeWithdrawn: "privilege-withdrawn"
        case .aaCompromise: "aa-compromise"
        }
    }
}

/// The registry's answer to a claim, after its transaction became durable.
public struct RegistrationRecord: Sendable, Hashable {
    public var state: KeyState
    /// False: the same key was registered before, and nothing changed.
    public var isNew: Bool
    public var registeredAt: NumericDate
    /// Thumbprints of the earlier keys that this registration revoked.
    public var superseded: [[UInt8]]
    /// The credentials in force that were issued for this key before, to be delivered again.
    public var credentials: [Credential]
    /// The user's name for the device.
    public var nickname: String?
    /// The thumbprint under which this key was registered before with x alone, or with y where the claim
    /// has x alone; nil: the claim's.
    public var registeredThumbprint: [UInt8]?
    /// Keys that the device got for the same image within a day, this one included; counted where the
    /// claim has a limit and the key is new.
    public var recentKeyCount: Int

    public init(
        state: KeyState, isNew: Bool, registeredAt: NumericDate, superseded: [[UInt8]],
        credentials: [Credential], nickname: String?, registeredThumbprint: [UInt8]? = nil,
        recentKeyCount: Int = 0
    ) {
        self.state = state
        self.isNew = isNew
        self.registeredAt = registeredAt
        self.superseded = superseded
        self.credentials = credentials
        self.nickname = nickname
        self.registeredThumbprint = registeredThumbprint
        self.recentKeyCount = recentKeyCount
    }
}

/// The memory of which keys are ours. Every call is one transaction that is durable when it returns.
///
/// Implementers keep the six promises: at most one unrevoked key per (board, device ID, key ID), by
/// the schema; a new key and the revocation of the earlier ones commit together; one public key
/// belongs to one device, and x names it, whether its y is known or not; the same key again changes nothing; nothing is deleted and every change is
/// an event of a hash-chained log; committed before promised.
public protocol DeviceRegistry: AnyObject, Sendable {
    /// Records the key, and revokes the device's earlier key of the same key ID as `superseded`;
    /// with `claim.hasErasedKeys` its earlier keys of every key ID.
    ///
    /// - Throws: `.keyRevoked` if this key was revoked before, naming when and why;
    ///   `.keyShared` if another device has it, naming both; `.replacementUnproven` if there is an
    ///   earlier key and `claim.grounds` is empty; `.registryConflict` if this device has it under
    ///   another key ID; `.volatileKey` if the claim's limit is reached.
    func register(_ claim: RegistrationClaim, at now: NumericDate) throws(ProvisioningError)
        -> RegistrationRecord

    /// Records credentials before they leave the host. Credentials of the same type that were issued
    /// for the same key before are revoked as `superseded`.
    ///
    /// - Throws: `.keyRevoked` if the key was revoked meanwhile; `.registryConflict` if a serial
    ///   number of this issuer is taken.
    func record(_ credentials: [Credential], for thumbprint: [UInt8], at now: NumericDate)
        throws(ProvisioningError)

    /// `pending → active`: the device has signed with the key and named what it stored. Idempotent.
    func activate(_ thumbprint: [UInt8], confirmation: [UInt8], at now: NumericDate)
        throws(ProvisioningError)
}
