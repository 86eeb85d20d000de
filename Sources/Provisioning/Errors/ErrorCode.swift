/// Why a run ended. Codes never change their meaning; new ones may be added.
public enum ErrorCode: String, CaseIterable, Sendable, Hashable {
    // Usage
    case usage
    case platformInvalid = "platform-invalid"
    case platformUnknown = "platform-unknown"
    /// The firmware package's `provision.toml` is damaged, or says what can't be.
    case settingsInvalid = "settings-invalid"

    // Build
    case buildFailed = "build-failed"
    case imageInvalid = "image-invalid"

    // Flash
    case flashFailed = "flash-failed"
    case flashMismatch = "flash-mismatch"

    // No device
    /// Nothing that is attached is such a board.
    case boardUnknown = "board-unknown"
    /// More than one board, or more than one platform, is meant by what the user named.
    case boardAmbiguous = "board-ambiguous"
    case channelUnavailable = "channel-unavailable"
    case channelClosed = "channel-closed"
    case channelBusy = "channel-busy"
    /// A USB endpoint that is halted, and halts again when that is cleared.
    case channelStalled = "channel-stalled"
    case probeUnavailable = "probe-unavailable"
    case emulatorFailed = "emulator-failed"
    /// Not one byte came.
    case deviceSilent = "device-silent"
    /// Bytes came, and no answer among them: log text, another rate's noise, a damaged line.
    case noAnswer = "no-answer"
    /// A log came to its end, or its time, without a line that reports a key.
    case reportMissing = "report-missing"
    case deviceBusy = "device-busy"
    /// No RTT control block in the device's memory, or not the channel in it.
    case rttNotFound = "rtt-not-found"
    /// An adapter program that can't be run, or that ends before its work.
    case adapterFailed = "adapter-failed"
    /// An adapter that does not answer.
    case adapterSilent = "adapter-silent"

    // Protocol
    /// An answer that is malformed, or says what the contract does not allow.
    case protocolViolation = "protocol-violation"
    /// An answer that announces more than came, or is more than this host takes.
    case answerOversized = "answer-oversized"
    /// An answer that nests deeper than this host takes.
    case answerTooDeep = "answer-too-deep"
    /// Nothing but answers to other requests.
    case answerUnrelated = "answer-unrelated"
    /// Bytes without end and without an answer.
    case byteFlood = "byte-flood"
    /// Whole frames without end and without an answer.
    case frameFlood = "frame-flood"
    /// A transfer that takes its steps and comes to no end.
    case transferStalled = "transfer-stalled"
    /// The device answers, but the conversation takes longer than it may.
    case deviceSlow = "device-slow"
    case deviceRefused = "device-refused"
    case probeProtocol = "probe-protocol"
    /// An RTT control block that says what can't be.
    case rttDamaged = "rtt-damaged"
    case versionUnsupported = "version-unsupported"
    /// An adapter that says what its protocol does not allow.
    case adapterProtocol = "adapter-protocol"

    // Evidence refused
    case evidenceMalformed = "evidence-malformed"
    case evidenceSignature = "evidence-signature"
    case evidenceReplayed = "evidence-replayed"
    case evidenceProfile = "evidence-profile"
    case keyInvalid = "key-invalid"
    case keyMismatch = "key-mismatch"
    case idMismatch = "id-mismatch"
    case csrRefused = "csr-refused"
    /// A report names no device ID, and there is no probe to read it.
    case idMissing = "id-missing"
    /// The same device reports one key after another: it doesn't store them.
    case volatileKey = "volatile-key"

    // Registry
    case registryUnavailable = "registry-unavailable"
    case registryNewer = "registry-newer"
    case registryDamaged = "registry-damaged"
    case keyRevoked = "key-revoked"
    case keyShared = "key-shared"
    case replacementUnproven = "replacement-unproven"
    case registryConflict = "registry-conflict"
    case notFound = "not-found"
    case clockWrong = "clock-wrong"

    // Authority
    case authorityUnavailable = "authority-unavailable"
    /// The registry names issuers, and there is no authority with a key of theirs.
    case authorityLost = "authority-lost"
    case issuanceFailed = "issuance-failed"
    /// Of the key's point only x is known, and the credential needs y.
    case keyIncomplete = "key-incomplete"

    // Install or confirm
    case installFailed = "install-failed"
    case confirmFailed = "confirm-failed"
    /// The device stores something else than what it was given.
    case credentialMismatch = "credential-mismatch"

    case interrupted
    case internalFailure = "internal-failure"

    /// The exit status of the executable.
    public var exitStatus: Int32 {
        switch self {
        case .usage, .platformInvalid, .platformUnknown, .settingsInvalid: 2
        case .buildFailed, .imageInvalid: 3
        case .flashFailed, .flashMismatch: 4
        case .boardUnknown, .boardAmbiguous, .channelUnavailable, .channelClosed, .channelBusy,
            .channelStalled, .probeUnavailable, .emulatorFailed, .deviceSilent, .noAnswer,
            .reportMissing, .deviceBusy, .rttNotFound, .adapterFailed, .adapterSilent:
            5
        case .protocolViolation, .answerOversized, .answerTooDeep, .answerUnrelated, .byteFlood,
            .frameFlood, .transferStalled, .deviceSlow, .deviceRefused, .probeProtocol,
            .rttDamaged, .versionUnsupported, .adapterProtocol:
            6
        case .evidenceMalformed, .evidenceSignature, .evidenceReplayed, .evidenceProfile,
            .keyInvalid, .keyMismatch, .idMismatch, .csrRefused, .idMissing, .volatileKey:
            7
        case .registryUnavailable, .registryNewer, .registryDamaged, .keyRevoked, .keyShared,
            .replacementUnproven, .registryConflict, .notFound, .clockWrong:
            8
        case .authorityUnavailable, .authorityLost, .issuanceFailed, .keyIncomplete: 9
        case .installFailed, .confirmFailed, .credentialMismatch: 10
        case .interrupted: 130
        case .internalFailure: 70
        }
    }

    /// What to do about an error that has no better hint of its own.
    var hint: String? {
        switch self {
        case .registryDamaged: "provision registry verify says what is damaged; restore a backup"
        case .internalFailure:
            "this is a fault of provision: report it with the command and this line"
        default: nil
        }
    }
}
