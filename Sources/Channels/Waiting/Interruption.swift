import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The user's wish to stop: Ctrl-C, SIGTERM, or a call.
///
/// A self-pipe that every wait in this module also watches. It is never drained, so that once
/// interrupted, everything that waits or starts to wait throws `.interrupted`; cleaning up waits
/// without it. One interruption serves a whole process, from any thread.
public final class Interruption: Sendable {
    let descriptor: Int32
    private let trigger: Int32

    /// - Throws: `.internalFailure` when no descriptor is left.
    public init() throws(ProvisioningError) {
        var (readEnd, writeEnd): (Int32, Int32) = (-1, -1)
        let error = chost_pipe(&readEnd, &writeEnd, true)
        guard error == 0 else {
            throw ProvisioningError(.internalFailure, "no pipe: \(SystemError(error))")
        }
        descriptor = readEnd
        trigger = writeEnd
    }

    deinit {
        closeDescriptor(descriptor)
        closeDescriptor(trigger)
    }

    /// Has SIGINT, SIGTERM and SIGHUP interrupt, and ignores SIGPIPE. Call it on the main thread before
    /// another thread exists: it also empties the signal mask, because a program that a SwiftPM plugin
    /// executes inherits one that blocks everything.
    ///
    /// The first signal interrupts. A second one, half a second or more later, restores the terminal
    /// and ends the process with the signal's default action, should cleaning up hang. The process
    /// keeps the returned value for as long as it wants the signals.
    public static func handlingSignals() throws(ProvisioningError) -> Interruption {
        let interruption = try Interruption()
        let error = chost_signals_install(interruption.trigger)
        guard error == 0 else {
            throw ProvisioningError(.internalFailure, "no signal handlers: \(SystemError(error))")
        }
        // The handler writes to the pipe from now on: it must never be closed.
        _ = Unmanaged.passRetained(interruption)
        return interruption
    }

    /// Has the same signals end this process at once with the status of `.interrupted`, until
    /// `handlingSignals`: nothing has begun that would have to be undone. Call it first of all: a
    /// program that is not ready for Ctrl-C dies of it, which `swift package` reports as a crash.
    public static func exitsOnSignals() {
        let lines = "\(ProvisioningError.interruptedByUser)\n".split(separator: "\n")
        // Never freed: the handler may not allocate.
        let message = strdup(lines.map { "provision: \($0)\n" }.joined())
        _ = chost_signals_install_early(ErrorCode.interrupted.exitStatus, message)
    }

    /// Has these signals also write to standard output what a program reads there, until `handlingSignals`.
    ///
    /// - Parameter document: of the error `interruptedByUser`; nil: nothing any more, because a result has begun.
    public static func writesOnSignals(_ document: String?) {
        // Never freed, as above.
        chost_signals_set_early_document(document.flatMap { strdup($0) })
    }

    /// What a signal does. Idempotent.
    public func interrupt() {
        var byte: UInt8 = 0
        // A full pipe is readable already.
        _ = writeBytes(trigger, &byte, 1)
    }

    public var isInterrupted: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// - Throws: `.interrupted` if so.
    public func check() throws(ProvisioningError) {
        if isInterrupted { throw .interruptedByUser }
    }

    /// Sleeps, but for an interruption.
    public func pause(for duration: Duration) throws(ProvisioningError) {
        _ = try Poll.wait(for: [], until: Deadline(within: duration), self)
    }
}

extension ProvisioningError {
    /// What a signal makes of whatever is under way.
    public static var interruptedByUser: ProvisioningError {
        ProvisioningError(
            .interrupted, "interrupted",
            hint: "run the same command again: what was done stays done")
    }
}
