/// A time that a user may need to change: by `[timeouts]` of a platform file, or by `--timeout`.
public enum Timeout: String, CaseIterable, Sendable, Hashable {
    case boot, answer, signature, conversation, write
    case flash, touch, port, rate
    case connect, probe
    case drain, console, build

    /// Where the file says nothing. Nil: as long as `boot`.
    public var standard: Duration? {
        switch self {
        case .boot, .connect, .probe, .write: .seconds(5)
        case .answer, .console: .seconds(2)
        case .signature, .touch: .seconds(10)
        case .rate, .drain: .seconds(1)
        case .flash: .seconds(120)
        case .conversation: .seconds(300)
        case .build: .seconds(1800)
        case .port: nil
        }
    }

    /// What it is for, for people.
    public var explanation: String {
        switch self {
        case .boot: "from reset to the first answer, or to the line that reports a key"
        case .answer: "an answer that needs no cryptography"
        case .signature: "an answer that the device makes a key or a signature for"
        case .conversation: "all that is asked of a device in one run"
        case .write: "until the channel takes what is sent"
        case .flash: "flashing, by the probe or each command of a tool"
        case .touch: "from the 1200-baud touch until the port is back"
        case .port: "until a named port is plugged in, or one that left while flashing is back"
        case .rate: "each of several baud rates, before the next is tried"
        case .connect: "a connection, or the address of a name"
        case .probe: "an answer of the probe's GDB server"
        case .drain: "until what was written has left a port that is closed"
        case .console: "until the device takes what is typed"
        case .build: "the build command"
        }
    }

    /// Its name in a platform file.
    public var key: String { "\(rawValue)-ms" }

    /// What a platform file may say.
    public static let limits = Duration.milliseconds(1)...Duration.milliseconds(3_600_000)
}

/// How long this platform's boards, and the tools around them, may take.
public struct Timeouts: Sendable, Hashable {
    /// What differs from the standard.
    private var values: [Timeout: Duration]

    public init(_ values: [Timeout: Duration] = [:]) { self.values = values }

    public subscript(timeout: Timeout) -> Duration {
        if let value = values[timeout] { return value }
        let standard = timeout.standard ?? boot
        // A run asks for a handful of signatures, each of which may need its repeats.
        return timeout == .conversation ? max(standard, signature * 30) : standard
    }

    /// Whether the file, or the user, says so.
    public func isGiven(_ timeout: Timeout) -> Bool { values[timeout] != nil }

    /// `others` in the place of its own.
    public func merging(_ others: [Timeout: Duration]) -> Timeouts {
        Timeouts(values.merging(others) { $1 })
    }

    public var boot: Duration { values[.boot] ?? .seconds(5) }
    public var answer: Duration { self[.answer] }
    public var signature: Duration { self[.signature] }
    public var flash: Duration { self[.flash] }
    public var conversation: Duration { self[.conversation] }
}
