/// The identifier that a chip or its firmware reports: unique within one board type, stable under
/// re-programming, no secret.
public struct DeviceID: Hashable, Sendable, CustomStringConvertible {
    /// 1 to 64 octets.
    public let bytes: [UInt8]

    /// The longest ID that this project accepts, in octets. The longest known is 16 (SAMD, RP2350).
    public static let maximumLength = 64

    /// Nil unless `bytes` is 1 to 64 octets long.
    public init?(_ bytes: [UInt8]) {
        guard (1...Self.maximumLength).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    /// Nil unless `hexadecimal` is an even number of hexadecimal digits of ASCII, of either case.
    public init?(hexadecimal: String) {
        guard let bytes = [UInt8](hexadecimal: hexadecimal.utf8) else { return nil }
        self.init(bytes)
    }

    /// Lower-case hexadecimal: the form of tables, subjects and error messages.
    public var description: String { bytes.hexadecimal }
}

/// What the registry knows a device by. IDs are unique only within one board type.
public struct DeviceIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The board's own name for itself, 1 to 64 octets of UTF-8: `"microbit"`.
    public let board: String
    public let id: DeviceID

    /// Octets of UTF-8.
    public static let maximumBoardLength = 64

    public init(board: String, id: DeviceID) {
        self.board = board
        self.id = id
    }

    public var description: String { "\(board)/\(id)" }
}
