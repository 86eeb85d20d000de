public import COSE

/// What a run knows about a device before it appraises its evidence: Appraisal Policy and
/// Reference Values, RFC 9334 §8.
public struct Expectation: Hashable, Sendable {
    /// The nonce that this run sent, 8 to 64 random octets that no other run has sent.
    public var nonce: [UInt8]
    /// What the device said in its hello.
    public var identity: DeviceIdentity
    /// What the device said in the key step: an uncompressed SEC 1 point, 65 octets for P-256.
    public var publicKey: [UInt8]
    /// What the device said there that the key is for.
    public var algorithm: COSEAlgorithm
    /// What the probe read, without the firmware's help; nil where it can't.
    public var probedID: DeviceID?

    public init(
        nonce: [UInt8], identity: DeviceIdentity, publicKey: [UInt8], algorithm: COSEAlgorithm,
        probedID: DeviceID?
    ) {
        self.nonce = nonce
        self.identity = identity
        self.publicKey = publicKey
        self.algorithm = algorithm
        self.probedID = probedID
    }
}

/// What a run knows about a device that only reports: there is no nonce to send, and no hello.
public struct ReportExpectation: Hashable, Sendable {
    /// The board that was flashed; nil if any may report.
    public var board: String?
    /// What the probe read, without the firmware's help; nil where it can't.
    public var probedID: DeviceID?

    public init(board: String?, probedID: DeviceID?) {
        self.board = board
        self.probedID = probedID
    }
}
