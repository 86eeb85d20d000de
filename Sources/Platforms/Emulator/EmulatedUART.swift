import CHost
import Channels
import Foundation
import Provisioning
import Synchronization

/// A pseudo-terminal that stands for an emulated board's serial port, and the thread that carries bytes
/// between it and the emulator's standard input and output.
///
/// Output commit: what a board says may rest on what it stored, so it is passed on only when that is
/// kept. Else a host would believe a board that, its emulator killed, knows nothing of it. (Elnozahy
/// et al., "A Survey of Rollback-Recovery Protocols in Message-Passing Systems", ACM 2002, §2.)
///
/// As on a real port, opening and closing changes nothing for the board, and what it sends while nobody
/// reads is lost.
final class EmulatedUART: Sendable {
    /// What others open: `/dev/pts/7`.
    let path: String
    private let childSocket: Int32
    private let childError: Int32
    private let areChildEndsOpen = Mutex(true)

    private let terminal: EmulatedPort
    private let socket: Int32
    private let errorPipe: Int32
    private let stopPipe: (read: Int32, write: Int32)
    private let tail = Mutex<[UInt8]>([])
    private let hooks = Mutex(Hooks())
    private let hasEnded = DispatchSemaphore(value: 0)
    private let errorHasEnded = DispatchSemaphore(value: 0)

    /// Not the functions themselves: each look at one in a mutex wraps it once more, and leaves it so.
    private struct Hooks: Sendable {
        var wake: (@Sendable () -> Void)?
        var commit: (@Sendable () -> Bool)?
    }

    /// Bytes of the emulator's standard error that are kept for messages.
    private static let tailLength = 4096
    private static let bufferLength = 4096
    /// Milliseconds between two looks at what does not tell when it changes.
    private static let interval: Int32 = 20
    /// How long a full terminal may stay full before it is taken for one that nobody reads, and how long
    /// it outlives its board.
    private static let patience = Duration.milliseconds(200)

    /// What the child gets: standard input and output, standard error.
    var childEnds: (inputOutput: Int32, error: Int32) { (childSocket, childError) }

    init() throws(ProvisioningError) {
        terminal = try EmulatedPort()
        path = terminal.path
        var sockets: [Int32] = [-1, -1]
        var (errorRead, errorWrite, stopRead, stopWrite) = (
            Int32(-1), Int32(-1), Int32(-1), Int32(-1)
        )
        guard socketpair(AF_UNIX, streamSocket, 0, &sockets) == 0,
            chost_pipe(&errorRead, &errorWrite, false) == 0,
            chost_pipe(&stopRead, &stopWrite, true) == 0
        else {
            let cause = String(cString: strerror(errno))
            let opened = sockets + [errorRead, errorWrite, stopRead, stopWrite]
            for descriptor in opened where descriptor >= 0 { close(descriptor) }
            terminal.close()
            throw ProvisioningError(.emulatorFailed, "no serial port to emulate: \(cause)")
        }
        for descriptor in sockets { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        (socket, childSocket) = (sockets[0], sockets[1])
        (errorPipe, childError) = (errorRead, errorWrite)
        stopPipe = (stopRead, stopWrite)
        _ = chost_set_nonblocking(socket, true)
        _ = chost_set_nonblocking(errorPipe, true)
    }

    /// Once the child has them: its end is told by the other ends then. Idempotent.
    func closeChildEnds() {
        areChildEndsOpen.withLock { areOpen in
            guard areOpen else { return }
            areOpen = false
            close(childSocket)
            close(childError)
        }
    }

    /// Has `wake` run on the thread, again and again, while the emulator leaves input unread.
    func whenUnread(_ wake: @escaping @Sendable () -> Void) {
        hooks.withLock { $0.wake = wake }
    }

    /// Has `commit` keep what the board stored, on the thread, before any of the board's bytes are passed
    /// on. False: it can't be kept any more, and nor is what the board said.
    func commitBeforeSpeaking(_ commit: @escaping @Sendable () -> Bool) {
        hooks.withLock { $0.commit = commit }
    }

    /// Starts carrying bytes.
    ///
    /// - Throws: `.emulatorFailed` if there is no thread for it: nothing waits for its end then.
    func start() throws(ProvisioningError) {
        let isStarted = WorkerThread.start("emulated UART") { [self] in
            pump()
            hasEnded.signal()
        }
        guard !isStarted else { return }
        hasEnded.signal()
        throw ProvisioningError(
            .emulatorFailed, "the system gives no more threads for an emulated board",
            hint: "emulate fewer boards at a time with --jobs, or allow more memory and processes")
    }

    /// Stops carrying bytes; the terminal is gone. To be called once, after `start`.
    func stop() {
        var byte: UInt8 = 0
        _ = write(stopPipe.write, &byte, 1)
        hasEnded.wait()
        closeChildEnds()
        terminal.close()
        for descriptor in [socket, errorPipe, stopPipe.read, stopPipe.write] { close(descriptor) }
    }

    /// The last lines that the emulator, which has ended, wrote to its standard error.
    func lastLines() -> [String] {
        // They may still be on their way.
        if errorHasEnded.wait(timeout: .now() + .milliseconds(500)) == .success {
            errorHasEnded.signal()
        }
        let bytes = tail.withLock { $0 }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.suffix(5).map { PlainText.sanitized($0.utf8) }
    }

    // MARK: The thread

    private struct Flow {
        var toBoard: [UInt8] = []
        var toUser: [UInt8] = []
        /// Since when the terminal takes nothing.
        var fullSince: ContinuousClock.Instant?
        var isBoardOpen = true
        var isErrorOpen = true
        var isTerminalOpen = true
        /// Once the board is gone: until then readers may take what it said last.
        var hangUp: ContinuousClock.Instant?
        /// Whether the last byte that was passed on ended a line.
        var isAtLineStart = true
    }

    private func pump() {
        var flow = Flow()
        while true {
            var entries = [
                pollfd(fd: stopPipe.read, events: Int16(POLLIN), revents: 0),
                pollfd(fd: flow.isErrorOpen ? errorPipe : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: flow.isBoardOpen ? socket : -1, events: 0, revents: 0),
                pollfd(fd: flow.isTerminalOpen ? terminal.master : -1, events: 0, revents: 0),
            ]
            if flow.toUser.count < Self.bufferLength { entries[2].events |= Int16(POLLIN) }
            if !flow.toBoard.isEmpty { entries[2].events |= Int16(POLLOUT) }
            if flow.toBoard.isEmpty { entries[3].events |= Int16(POLLIN) }
            if !flow.toUser.isEmpty { entries[3].events |= Int16(POLLOUT) }
            let isUnread = flow.isBoardOpen && chost_serial_unsent(socket) > 0
            let isWaiting = isUnread || !flow.toUser.isEmpty || flow.hangUp != nil
            let count = poll(&entries, nfds_t(entries.count), isWaiting ? Self.interval : -1)
            guard count >= 0 || errno == EINTR else { return }
            if count == 0, isUnread { hooks.withLock { $0 }.wake?() }
            guard entries[0].revents == 0 else { return }
            if entries[1].revents != 0, !readError() {
                flow.isErrorOpen = false
                errorHasEnded.signal()
            }
            if let hangUp = flow.hangUp, hangUp <= .now {
                // As when a cable comes off: who waits for an answer need not wait longer.
                terminal.close()
                flow.isTerminalOpen = false
                flow.hangUp = nil
            }
            carryFromUser(&flow, isReadable: entries[3].revents & Int16(POLLIN) != 0)
            carryFromBoard(&flow, isReadable: entries[2].revents & Int16(POLLIN | POLLHUP) != 0)
        }
    }

    private func carryFromUser(_ flow: inout Flow, isReadable: Bool) {
        if isReadable, flow.toBoard.isEmpty, case let bytes = receive(terminal.master),
            !bytes.isEmpty
        {
            flow.toBoard = bytes
        }
        guard flow.isBoardOpen else {
            flow.toBoard.removeAll()
            return
        }
        guard !flow.toBoard.isEmpty else { return }
        let sent = flow.toBoard.withUnsafeBytes { chost_send(socket, $0.baseAddress, $0.count) }
        if sent > 0 { flow.toBoard.removeFirst(sent) }
    }

    private func carryFromBoard(_ flow: inout Flow, isReadable: Bool) {
        if isReadable, flow.toUser.count < Self.bufferLength {
            let bytes = receive(socket)
            if bytes.isEmpty && errno != EAGAIN {
                flow.isBoardOpen = false
                flow.hangUp = .now + Self.patience
            }
            passOn(bytes, &flow)
        }
        guard flow.isTerminalOpen else { return flow.toUser.removeAll() }
        guard !flow.toUser.isEmpty else { return }
        let sent = flow.toUser.withUnsafeBytes { write(terminal.master, $0.baseAddress, $0.count) }
        if sent > 0 {
            flow.toUser.removeFirst(sent)
            flow.fullSince = nil
        } else {
            let since = flow.fullSince ?? ContinuousClock.now
            flow.fullSince = since
            if since.duration(to: .now) > Self.patience { flow.toUser.removeAll() }
        }
    }

    private func passOn(_ bytes: [UInt8], _ flow: inout Flow) {
        guard let last = bytes.last else { return }
        if hooks.withLock({ $0 }).commit?() ?? true {
            flow.toUser += bytes
        } else {
            // No host may hear it, but it may be why the emulator ended.
            let lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
            let whole = lines.dropFirst(flow.isAtLineStart ? 0 : 1)
            // Frames, which nobody can read, have these marks.
            for line in whole where !line.contains(0x06) && !line.contains(0x04) {
                note(Array(line) + [newline])
            }
        }
        flow.isAtLineStart = last == newline
    }

    /// False at its end.
    private func readError() -> Bool {
        let bytes = receive(errorPipe)
        if bytes.isEmpty { return errno == EAGAIN }
        note(bytes)
        return true
    }

    private func note(_ bytes: [UInt8]) {
        tail.withLock { tail in
            tail += bytes
            tail.removeFirst(max(0, tail.count - Self.tailLength))
        }
    }

    /// What is there; none, with `errno` 0 at the end of it.
    private func receive(_ descriptor: Int32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.bufferLength) { buffer, filled in
            errno = 0
            filled = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
    }
}

private let newline = UInt8(ascii: "\n")

#if canImport(Darwin)
    let streamSocket = SOCK_STREAM
#else
    let streamSocket = Int32(SOCK_STREAM.rawValue)
#endif
