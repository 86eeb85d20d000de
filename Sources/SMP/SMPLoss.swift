/// Why a request was sent again.
public enum SMPLoss: Hashable, Sendable {
    /// Nothing came for so long.
    case silence(Duration)
    /// A frame came, but not as it was sent.
    case damage(SerialFrameDamage)
    /// A frame began and did not go on.
    case brokenOff
    /// The device answered what it was asked after the request: so the one or its answer is lost.
    case overtaken
    /// Nothing was lost: the device knows only the version of SMP before.
    case olderVersion

    /// Whether the line is to blame.
    var isOfLine: Bool { self != .olderVersion }

    /// Whether nothing was heard of the request: it may not have arrived, as where a buffer before the device is
    /// smaller than it. A damaged or torn answer shows that it did arrive, so that to send it more slowly
    /// would not help.
    package var isUnheard: Bool { isSilence || self == .overtaken }

    var isSilence: Bool {
        if case .silence = self { true } else { false }
    }
}

extension SMPLoss: CustomStringConvertible {
    public var description: String {
        switch self {
        case .silence(let time):
            "no answer in \(Int64((time / .milliseconds(1)).rounded())) ms"
        case .damage(let damage): "damaged frame (\(damage.rawValue))"
        case .brokenOff: "the answer broke off"
        case .olderVersion: "the device speaks version 1 of SMP"
        case .overtaken: "the device is ready, but its answer did not come"
        }
    }
}
