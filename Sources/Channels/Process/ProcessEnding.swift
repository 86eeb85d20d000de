#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How a process ended.
public enum ProcessEnding: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)
    /// Nobody can say: something else in this process has taken the status, or has SIGCHLD ignored.
    case unknown

    public var isSuccess: Bool { self == .exited(0) }

    public var description: String {
        switch self {
        case .exited(let status): "ended with status \(status)"
        case .signalled(let number):
            "was ended by signal \(number) (\(String(cString: strsignal(number))))"
        case .unknown: "has ended, and how it ended is lost"
        }
    }
}
