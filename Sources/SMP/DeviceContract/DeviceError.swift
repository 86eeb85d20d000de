/// What a device refuses in the words of the device contract.
public enum DeviceError: UInt64, CaseIterable, Hashable, Sendable {
    case malformed = 1
    case noSuchKey = 2
    case keyExists = 3
    case locked = 4
    case badLengthOrOffset = 5
    case hashMismatch = 6
    case cryptoFailed = 7
    case noEntropy = 8
    case storageFull = 9
    case unsupported = 10
}

extension DeviceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed: "malformed request"
        case .noSuchKey: "no such key"
        case .keyExists: "key exists"
        case .locked: "locked"
        case .badLengthOrOffset: "bad length or offset"
        case .hashMismatch: "hash mismatch"
        case .cryptoFailed: "crypto failed"
        case .noEntropy: "no entropy"
        case .storageFull: "storage full"
        case .unsupported: "unsupported"
        }
    }
}

extension DeviceContract {
    /// The contract's own meaning of `error`; nil for everything else.
    ///
    /// - Parameter version: of the answer. Version 1 has no room for a group's codes: the device answers
    ///   with the protocol's nearest.
    public func deviceError(_ error: SMPError, version: SMPVersion = .v2) -> DeviceError? {
        switch error {
        case .group(group, let code): DeviceError(rawValue: code)
        case .status(let status) where version == .v1: Self.meanings[status]
        default: nil
        }
    }

    private static let meanings: [SMPStatus: DeviceError] = [
        .invalidValue: .malformed, .noEntry: .noSuchKey, .badState: .keyExists,
        .accessDenied: .locked, .messageSize: .badLengthOrOffset, .corrupt: .hashMismatch,
        .noMemory: .storageFull, .notSupported: .unsupported,
    ]
}
