import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension SQLiteRegistry {
    /// Microseconds between two attempts to write while another process does.
    private static let pause: UInt32 = 1_000

    /// Not the function itself: each look at one in a mutex wraps it once more, and leaves it so.
    private struct Interruption: Sendable {
        var isInterrupted: @Sendable () -> Bool
    }

    private static let interruption = Mutex(Interruption { false })

    /// Has every wait for another process end with `.interrupted` once `isInterrupted` says so. It holds
    /// for the whole process, as signals do.
    public static func endWaits(when isInterrupted: @escaping @Sendable () -> Bool) {
        interruption.withLock { $0.isInterrupted = isInterrupted }
    }

    static var isInterrupted: Bool { interruption.withLock { $0 }.isInterrupted() }

    /// Waits for a moment. False: that was the last.
    static func waitsForOthers(after tries: Int) -> Bool {
        usleep(pause)
        return !isInterrupted && tries < Int(busyTimeout * 1e6) / Int(pause)
    }
}
