/// The promises of `Channel`, one by one.
///
/// Run each against a channel of your own; a check opens a fresh one:
///
///     @Test(arguments: ChannelCheck.allCases)
///     func keepsItsPromises(_ check: ChannelCheck) throws {
///         try check.run { try openMyChannel() }
///     }
public enum ChannelCheck: String, CaseIterable, Sendable {
    /// All 256 values, 16 KiB of them, in pieces of any length.
    case deliversEveryByteInOrder = "it delivers every byte, unchanged and in order"
    case sendsEveryByteInOrder = "it sends every byte, unchanged and in order"
    /// 16 KiB come back while they are being sent.
    case carriesBothDirectionsAtOnce = "it carries both directions at once"
    case readsWhatThereIs = "a read returns what is there, and does not wait for more"
    case keepsWhatIsBeyondTheLimit = "a read takes no more than asked for, and keeps the rest"
    case readsNothingInTime = "a read of nothing ends with its time-out, and not before"
    case losesNothingToTimeouts = "reads that time out lose nothing"
    /// A far end that takes nothing: `.channelUnavailable`.
    case endsWritesInTime = "a write that does not fit ends with its time-out"
    /// `.channelClosed`
    case noticesTheEnd = "it says that the far end is gone"
    /// Twice, and then `.channelClosed`.
    case closesForGood = "it can be closed twice, and is closed then"
    /// `.interrupted`
    case endsWhenInterrupted = "an interruption ends a read that waits"
    case hasAName = "it has a name, of one line"

    /// Why the check can't be made with this channel; nil if it can.
    public func obstacle(_ subject: ChannelUnderTest) -> String? {
        switch self {
        case .noticesTheEnd where !subject.noticesLeaving: "it can't notice"
        case .endsWhenInterrupted where subject.interrupt == nil: "it can't be interrupted"
        default: nil
        }
    }

    /// Opens a channel and makes the check.
    ///
    /// - Parameter patience: until something that must happen is said not to happen. The slowest check of a
    ///   channel that keeps no promise takes a few times as long.
    /// - Returns: false where the check can't be made with it: see `obstacle`.
    /// - Throws: `ChannelViolation`; or what `open` or the far end throws.
    @discardableResult
    public func run(
        patience: Duration = .seconds(60), _ open: () throws -> ChannelUnderTest
    ) throws -> Bool {
        let subject = try open()
        defer { subject.channel.close() }
        guard obstacle(subject) == nil else { return false }
        try ChannelTrial(check: self, subject: subject, patience: patience).run()
        return true
    }
}
