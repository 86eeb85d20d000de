public import COSE
public import Issuance

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
