public import Provisioning

/// Why an adapter could not do what it was asked for: a closed list.
public enum AdapterFailure: String, CaseIterable, Sendable, Hashable {
    // The message
    /// A request that this adapter does not know. It goes on.
    case unknown
    /// A line that is no request, or a request that misses something. It goes on.
    case malformed
    /// A request whose ID is not above the one before. Nothing is done.
    case repeated
    /// None of the host's versions.
    case version
    /// A request that this board has no way to do.
    case unsupported
    /// A port, probe or serial number that this adapter does not understand.
    case usage

    // The board
    case boardMissing = "board-missing"
    case boardBusy = "board-busy"
    case imageInvalid = "image-invalid"
    case flashFailed = "flash-failed"
    case flashMismatch = "flash-mismatch"
    case identifyFailed = "identify-failed"
    case channelUnavailable = "channel-unavailable"
    case channelClosed = "channel-closed"
    case channelBusy = "channel-busy"

    /// Anything else.
    case failed

    /// What the host makes of it.
    public var code: ErrorCode {
        switch self {
        case .unknown, .malformed, .repeated: .adapterProtocol
        case .version: .versionUnsupported
        case .unsupported, .usage: .usage
        case .boardMissing: .probeUnavailable
        case .boardBusy: .deviceBusy
        case .imageInvalid: .imageInvalid
        case .flashFailed: .flashFailed
        case .flashMismatch: .flashMismatch
        case .identifyFailed: .probeProtocol
        case .channelUnavailable: .channelUnavailable
        case .channelClosed: .channelClosed
        case .channelBusy: .channelBusy
        case .failed: .adapterFailed
        }
    }

    /// What an adapter in Swift says when one of its parts throws `code`.
    public init(_ code: ErrorCode) {
        self = Self.allCases.first { $0.code == code } ?? .failed
        if code == .usage { self = .usage }
    }
}
