public import Attestation
public import Issuance
public import SMP

/// What one run shall do with one device.
public struct ProvisioningPlan: Sendable {
    /// The image to flash; nil: the device runs its firmware already, or the flash tool has its own.
    public var image: FirmwareImage?
    /// Whether the flash tool runs without an image that anybody else knows.
    public var flashesOwnImage = false
    /// Whether flashing erases the device's keys and credentials.
    public var erases = false
    /// The board type that the device must name; nil: any.
    public var board: String?
    /// The device ID that the user asked for; nil: any.
    public var device: DeviceID?
    /// The key ID in the device's key store; nil: the first that it names.
    public var keyID: UInt32?
    /// The credentials that the device shall hold in the end.
    public var credentials: Set<CredentialType> = [.x509Chain, .cwt]
    /// What is looked for in the log of a device that only reports.
    public var reportFormats = Set(ReportFormat.allCases)
    /// Seconds from now to the end of a credential's validity; nil: no expiry.
    public var validity: Int64?
    /// The user vouches that the new key replaces the device's earlier one.
    public var replacesKey = false
    public var deadlines = Deadlines()
    /// The SMP group under which the device library answers.
    public var group: UInt16 = DeviceContract.standardGroup

    /// How messages lie on a channel that is a byte stream.
    public var framing = SMPFraming.console
    /// The version of SMP. Nil: 2, and 1 with a device that says it knows no other.
    public var smpVersion: SMPVersion?

    /// PSA Crypto's `PSA_KEY_ID_NULL` is no key's.
    public static let keyIDs: ClosedRange<UInt32> = 1...UInt32.max
    /// Days of a credential: up to a century.
    public static let validityDays = 1...36_500

    public init() {}

    /// How long a device may take. Requests are repeated, so one that is silent is given up only after
    /// nearly four times as long.
    public struct Deadlines: Sendable {
        /// From reset to the first answer. Silence is expected here: half as long again, and no more.
        public var boot: Duration = .seconds(5)
        /// For an answer that needs no cryptography.
        public var answer: Duration = .seconds(2)
        /// For an answer that the device makes a key or a signature for.
        public var signature: Duration = .seconds(10)
        /// For the line that reports a key, from when the log is open.
        public var report: Duration = .seconds(5)
        /// For the whole conversation, however promptly the device answers.
        public var conversation: Duration = .seconds(300)
        /// Until the channel takes what is sent.
        public var write: Duration = .seconds(5)

        public init() {}
    }
}
