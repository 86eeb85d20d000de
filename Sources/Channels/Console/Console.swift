import CHost
public import Provisioning
import SMP

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Shows what a device prints, without the SMP frames in it, and sends what the user types.
///
/// A terminal as input gives single keys, without echo; Ctrl-C and Ctrl-] leave. Any other input is
/// not read: it could only be sent to the device by mistake. The terminal is put back in every case.
public final class Console {
    /// Why it ended.
    public enum Ending: Sendable, Hashable {
        /// The user left: by key, or by closing the terminal.
        case detached
        case deadlineReached
        /// By signal: the way out where keys are not read.
        case interrupted
        /// Whoever read the output is gone.
        case outputClosed
        /// The output takes no more, as on a full disk: the `errno`.
        case outputFailed(Int32)
    }

    private let channel: any Channel
    private let input: Int32?
    private let output: Int32
    private let writeTimeout: Duration
    private let interruption: Interruption
    private let watch: (([UInt8]) -> Void)?
    private var frames = SerialFrameDecoder()
    private var filter = TerminalFilter()

    private static let leavingKeys: [UInt8] = [0x03, 0x1d]
    private static let readLimit = 4096
    /// How long a key waits for a silent channel that cannot be polled.
    private static let turn = Duration.milliseconds(20)
    /// Whether such a channel had something the last time: then it may have more.
    private var isFlowing = false

    /// - Parameters:
    ///   - input: a descriptor, which is used if it is a terminal that this process may read; nil is
    ///     none.
    ///   - output: a descriptor. Line ends pass as the device sends them.
    ///   - writeTimeout: for what is typed at once.
    ///   - watch: sees everything that the device sends, before it is shown.
    public init(
        channel: any Channel, input: Int32?, output: Int32, writeTimeout: Duration = .seconds(2),
        interruption: Interruption, watch: (([UInt8]) -> Void)? = nil
    ) {
        self.writeTimeout = writeTimeout
        self.watch = watch
        self.channel = channel
        self.input = input.flatMap { Self.isOwnTerminal($0) ? $0 : nil }
        self.output = output
        self.interruption = interruption
    }

    /// Whether keys are sent to the device.
    public var sendsKeys: Bool { input != nil }

    /// Runs until the user leaves, or until `deadline`.
    ///
    /// - Throws: `.channelClosed` when the device is gone.
    public func run(until deadline: ContinuousClock.Instant? = nil) throws(ProvisioningError)
        -> Ending
    {
        var keys = input
        if let terminal = input, chost_terminal_take(terminal) != 0 { keys = nil }
        defer {
            if keys != nil { chost_terminal_restore() }
            // Colours of the device's last line are not the shell's.
            if filter.hasAttributes && isatty(output) == 1 {
                _ = show(Array("\u{1b}[0m".utf8), until: Deadline(within: .zero), nil)
            }
        }
        do {
            return try loop(keys, until: Deadline(deadline))
        } catch {
            if error.code == .interrupted { return .interrupted }
            throw error
        }
    }

    private func loop(_ keys: Int32?, until deadline: Deadline) throws(ProvisioningError) -> Ending
    {
        while !deadline.isPast {
            try interruption.check()
            let isReadable = try waitForEither(keys, until: deadline)
            if isReadable.keys, let keys {
                guard try relayKeys(from: keys) else { return .detached }
            }
            if isReadable.channel {
                let bytes = try channel.read(atMost: Self.readLimit, within: .zero)
                isFlowing = !bytes.isEmpty
                if let ending = try relay(bytes) { return ending }
            }
        }
        return .deadlineReached
    }

    private func waitForEither(_ keys: Int32?, until deadline: Deadline) throws(ProvisioningError)
        -> (channel: Bool, keys: Bool)
    {
        let keyEntry = Poll.Entry(keys ?? -1, Poll.readable)
        guard let descriptor = (channel as? any PollableChannel)?.pollDescriptor else {
            let next = deadline.earlier(of: Deadline(within: isFlowing ? .zero : Self.turn))
            let entries = try Poll.wait(for: [keyEntry], until: next, interruption)
            return (true, entries[0].isReady)
        }
        guard descriptor >= 0 else {
            throw ProvisioningError(.channelClosed, "\(channel.name) was closed before")
        }
        let entries = try Poll.wait(
            for: [Poll.Entry(descriptor, Poll.readable), keyEntry], until: deadline, interruption)
        return (entries[0].isReady, entries[1].isReady)
    }

    /// False if the user left. What was typed before that key is sent.
    private func relayKeys(from terminal: Int32) throws(ProvisioningError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = readBytes(terminal, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        let typed = buffer[..<count]
        let sent = Array(typed.prefix { !Self.leavingKeys.contains($0) })
        if !sent.isEmpty { try channel.write(sent, within: writeTimeout) }
        return sent.count == count
    }

    /// Not nil if nobody takes the output any more.
    private func relay(_ bytes: [UInt8]) throws(ProvisioningError) -> Ending? {
        watch?(bytes)
        var text: [UInt8] = []
        for event in frames.push(bytes) {
            if case .text(let part) = event { text += filter.filter(part) }
        }
        return show(text, until: .never, interruption)
    }

    /// A pipe that nobody reads is waited for, but not beyond the user's leaving.
    private func show(
        _ text: [UInt8], until deadline: Deadline, _ interruption: Interruption?
    ) -> Ending? {
        var rest = text[...]
        while !rest.isEmpty {
            let isWritable = try? Poll.wait(
                output, for: Poll.writable, until: deadline, interruption)
            guard isWritable == true else { return nil }
            // As much as a pipe takes as a whole that is ready for any.
            let count = rest.withUnsafeBytes { bytes in
                writeBytes(output, bytes.baseAddress, min(bytes.count, Int(PIPE_BUF)))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EAGAIN && errno != EINTR {
                // EIO: the terminal was closed.
                return [EPIPE, EIO].contains(errno) ? .outputClosed : .outputFailed(errno)
            }
        }
        return nil
    }

    /// A background job that takes the terminal would be stopped.
    private static func isOwnTerminal(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1 else { return false }
        let foreground = tcgetpgrp(descriptor)
        // Not the controlling terminal: nobody is stopped for it.
        return foreground < 0 || foreground == getpgrp()
    }
}
