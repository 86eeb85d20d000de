internal import CBOR

/// What a device says of itself: nothing of it is proved.
public struct DeviceDescription: Hashable, Sendable {
    /// The device ID, 1 to 64 octets.
    public let id: [UInt8]
    /// 1 to 64 octets of printable UTF-8.
    public let board: String
    /// The firmware's name and version, at most 64 octets of printable UTF-8.
    public let firmware: String
    /// COSE algorithms that the device signs with, at least one, the preferred one first.
    public let algorithms: [Int64]
    /// Key IDs of the keys that the device has.
    public let keyIDs: [UInt32]
    /// Octets of credential that fit in one request, 16 to 32768.
    public let chunkLength: Int
    public let isLocked: Bool

    private static let maximumTextLength = 64
    private static let maximumAlgorithmCount = 16
    private static let maximumKeyCount = 64
    /// Less would not let a transfer end in sensible time.
    private static let chunkLengths = 16...32768

    init(_ payload: CBORMap) throws(SMPError) {
        let reader = PayloadReader(payload, of: "device")
        let version = try reader.unsigned("v")
        guard version == DeviceContract.version else { throw .unsupportedVersion(version) }
        id = try reader.bytes("id", count: 1...64)
        board = try reader.name(
            "board", minimumLength: 1, maximumLength: Self.maximumTextLength)
        firmware = try reader.name("fw", minimumLength: 0, maximumLength: Self.maximumTextLength)
        algorithms = try reader.array(
            "algs", maximumCount: Self.maximumAlgorithmCount, of: \.integer)
        guard !algorithms.isEmpty else { throw reader.wrong("algs", "empty") }
        keyIDs = try reader.array("keys", maximumCount: Self.maximumKeyCount) {
            $0.unsigned.flatMap { UInt32(exactly: $0) }
        }
        guard Set(keyIDs).count == keyIDs.count else { throw reader.wrong("keys", "one twice") }
        chunkLength = try reader.length("chunk", in: Self.chunkLengths)
        isLocked = try reader.bool("locked")
    }
}
