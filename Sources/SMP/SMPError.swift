/// Why a request has no answer.
public enum SMPError: Error, Hashable, Sendable {
    /// The device refused at the level of the protocol: `{"rc": n}`.
    case status(SMPStatus)
    /// A group refused in its own words: `{"err": {"group": …, "rc": …}}`, version 2 only.
    case group(UInt16, code: UInt64)
    /// Silence: not one byte. A repeat may help.
    case timedOut(attempts: Int)
    /// Bytes came, and no answer to anything among them: log text, another rate's noise, damaged lines,
    /// an echo. A repeat may help.
    case unanswered(attempts: Int, bytes: Int, damagedFrames: Int)
    /// Whole frames came, and all of them answer something else.
    case unrelated(attempts: Int, frames: Int)
    /// The answer came and is not what the protocol allows.
    case malformed(String)
    /// The answer announces more than came, or is more than this host takes.
    case oversized(String)
    /// The answer nests deeper than this host takes.
    case tooDeep(String)
    /// The device sends, but not what was asked for: more than this without an answer.
    case flooded(frames: Int, damagedFrames: Int, bytes: Int)
    /// A message of this host that does not fit.
    case tooLong(byteCount: Int, limit: Int)
    /// A transfer that takes its steps and does not come to an end.
    case stalled(steps: Int, offset: Int)
    /// The device speaks another version of the device contract.
    case unsupportedVersion(UInt64)
}

extension SMPError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .status(let status): "the device answered \(status)"
        case .group(let group, let code): "group \(group) of the device answered error \(code)"
        case .timedOut(let attempts): "silence after \(Self.count(attempts, "attempt"))"
        case .unanswered(let attempts, let bytes, let damagedFrames):
            "no answer to \(Self.count(attempts, "attempt")) in \(Self.count(bytes, "byte")) that "
                + "came, \(Self.count(damagedFrames, "damaged frame")) among them"
        case .unrelated(let attempts, let frames):
            "no answer to \(Self.count(attempts, "attempt")), but to something else: "
                + Self.count(frames, "frame")
        case .malformed(let reason), .oversized(let reason), .tooDeep(let reason): reason
        case .flooded(let frames, let damagedFrames, let bytes):
            "no answer in \(Self.count(frames, "frame")), \(damagedFrames) of them damaged, and "
                + "\(Self.count(bytes, "byte")) that the device sent"
        case .tooLong(let byteCount, let limit): "\(byteCount) bytes do not fit in \(limit)"
        case .stalled(let steps, let offset): "no end after \(steps) steps, at offset \(offset)"
        case .unsupportedVersion(let version):
            "the device speaks version \(version) of the contract, this host version 1"
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}

/// The protocol's own return codes. Zephyr include/zephyr/mgmt/mcumgr/mgmt/mgmt_defines.h.
public struct SMPStatus: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let ok = SMPStatus(rawValue: 0)
    public static let unknown = SMPStatus(rawValue: 1)
    public static let noMemory = SMPStatus(rawValue: 2)
    public static let invalidValue = SMPStatus(rawValue: 3)
    public static let timeout = SMPStatus(rawValue: 4)
    public static let noEntry = SMPStatus(rawValue: 5)
    public static let badState = SMPStatus(rawValue: 6)
    public static let messageSize = SMPStatus(rawValue: 7)
    public static let notSupported = SMPStatus(rawValue: 8)
    public static let corrupt = SMPStatus(rawValue: 9)
    public static let busy = SMPStatus(rawValue: 10)
    public static let accessDenied = SMPStatus(rawValue: 11)
    public static let tooOld = SMPStatus(rawValue: 12)
    public static let tooNew = SMPStatus(rawValue: 13)

    /// Codes from here on belong to the user.
    public static let firstUserCode: UInt64 = 256
}

extension SMPStatus: CustomStringConvertible {
    private static let names = [
        "ok", "unknown error", "out of memory", "invalid value", "timeout", "no entry",
        "bad state", "message size", "not supported", "corrupt", "busy", "access denied",
        "too old", "too new",
    ]

    /// `"not supported (rc 8)"`
    public var description: String {
        let name = Int(exactly: rawValue).flatMap {
            Self.names.indices.contains($0) ? Self.names[$0] : nil
        }
        return "\(name ?? "an error") (rc \(rawValue))"
    }
}
