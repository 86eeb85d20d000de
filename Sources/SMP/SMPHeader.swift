/// SMP protocol version: two bits of the header. 2 added group errors.
public enum SMPVersion: UInt8, Hashable, Sendable {
    case v1 = 0
    case v2 = 1
}

/// What a message is: three bits of the header.
public enum SMPOperation: UInt8, Hashable, Sendable {
    case read = 0
    case readResponse = 1
    case write = 2
    case writeResponse = 3

    public var isResponse: Bool { self == response }

    /// What answers this operation: itself, if it is a response.
    public var response: SMPOperation {
        switch self {
        case .read, .readResponse: .readResponse
        case .write, .writeResponse: .writeResponse
        }
    }
}

/// The 8 bytes in front of each SMP message, big-endian.
/// Zephyr doc/services/device_mgmt/smp_protocol.rst.
public struct SMPHeader: Hashable, Sendable {
    /// Bytes.
    public static let byteCount = 8

    public var version: SMPVersion
    public var operation: SMPOperation
    public var flags: UInt8
    /// Bytes of payload.
    public var length: UInt16
    public var group: UInt16
    public var sequence: UInt8
    public var command: UInt8

    public init(
        version: SMPVersion = .v2, operation: SMPOperation, flags: UInt8 = 0, length: UInt16,
        group: UInt16, sequence: UInt8, command: UInt8
    ) {
        self.version = version
        self.operation = operation
        self.flags = flags
        self.length = length
        self.group = group
        self.sequence = sequence
        self.command = command
    }

    /// Nil if `bytes` are fewer than 8, or if version, operation or the reserved bits are unknown.
    public init?(_ bytes: some Collection<UInt8>) {
        let head = Array(bytes.prefix(Self.byteCount))
        guard head.count == Self.byteCount, head[0] >> 5 == 0,
            let version = SMPVersion(rawValue: head[0] >> 3 & 0b11),
            let operation = SMPOperation(rawValue: head[0] & 0b111)
        else { return nil }
        self.init(
            version: version, operation: operation, flags: head[1],
            length: UInt16(head[2]) << 8 | UInt16(head[3]),
            group: UInt16(head[4]) << 8 | UInt16(head[5]),
            sequence: head[6], command: head[7])
    }

    public func encoded() -> [UInt8] {
        [
            version.rawValue << 3 | operation.rawValue, flags,
            UInt8(length >> 8), UInt8(length & 0xFF), UInt8(group >> 8), UInt8(group & 0xFF),
            sequence, command,
        ]
    }
}
