public import COSE

/// What a Verifier established about a device, RFC 9334 §8.4. Only ``Verifier`` makes one.
public struct AttestationResult: Hashable, Sendable {
    public let identity: DeviceIdentity
    /// Its possession is proven if `isPossessionProven`.
    public let key: COSEKey
    /// What the device signs with; `.unspecified` where nothing says so.
    public let algorithm: COSEAlgorithm
    /// COSE Key Thumbprint with SHA-256, RFC 9679: 32 octets.
    public let thumbprint: [UInt8]
    /// SHA-256 of each credential that the device already stores, by credential type.
    public let storedCredentials: [UInt64: [UInt8]]
    /// The evidence as received, for audit.
    public let evidence: [UInt8]
    /// The nonce in the evidence; empty for a certification request.
    public let nonce: [UInt8]
    public internal(set) var basis: AttestationBasis
    /// Whether a probe read the device ID without the firmware's help, and it is the same.
    public let isProbeBound: Bool
    /// Whether the evidence answers a nonce of this run. False for a report and for a
    /// certification request, which could be old ones.
    public let isFresh: Bool
    /// False for a report that nobody signed: whoever writes to the log can name any key.
    public let isPossessionProven: Bool

    init(_ evidence: Evidence, basis: AttestationBasis, isProbeBound: Bool, isFresh: Bool) {
        identity = evidence.identity
        key = evidence.key
        algorithm = evidence.algorithm
        thumbprint = evidence.key.thumbprint
        storedCredentials = evidence.storedCredentials
        self.evidence = evidence.bytes
        nonce = evidence.nonce
        self.basis = basis
        self.isProbeBound = isProbeBound
        self.isFresh = isFresh
        isPossessionProven = true
    }

    /// Of a report that nobody signed: the anchor is the cable, and nothing else.
    init(identity: DeviceIdentity, _ report: ReportedClaimsSet, isProbeBound: Bool) {
        self.identity = identity
        key = report.key
        algorithm = report.key.algorithm ?? .unspecified
        thumbprint = report.key.thumbprint
        storedCredentials = [:]
        evidence = report.text
        nonce = []
        basis = .physicalPresence
        self.isProbeBound = isProbeBound
        isFresh = false
        isPossessionProven = false
    }

    /// Of a certification request, which names neither nonce nor credentials.
    init(identity: DeviceIdentity, key: COSEKey, evidence: [UInt8], isProbeBound: Bool) {
        self.identity = identity
        self.key = key
        algorithm = .es256
        thumbprint = key.thumbprint
        storedCredentials = [:]
        self.evidence = evidence
        nonce = []
        basis = .physicalPresence
        self.isProbeBound = isProbeBound
        isFresh = false
        isPossessionProven = true
    }

    /// The key as the registry records it: an uncompressed SEC 1 point, 65 octets for P-256; x alone, 32,
    /// where that is all that was reported.
    public var publicKey: [UInt8] { key.publicKey }
}

/// The device has signed a second nonce with the same key and named what it stores. Only
/// ``Verifier`` makes one.
public struct Confirmation: Hashable, Sendable {
    public let identity: DeviceIdentity
    public let thumbprint: [UInt8]
    /// SHA-256 of each credential that the device stores, by credential type.
    public let storedCredentials: [UInt64: [UInt8]]
    /// The evidence as received, for audit.
    public let evidence: [UInt8]

    init(_ evidence: Evidence) {
        identity = evidence.identity
        thumbprint = evidence.key.thumbprint
        storedCredentials = evidence.storedCredentials
        self.evidence = evidence.bytes
    }
}
