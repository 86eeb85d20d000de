import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A tty, raw and ours alone: 8 data bits, no parity, one stop bit.
///
/// A tty that is not raw echoes to the device, translates line ends, holds bytes back until a line
/// feed, and acts on some of them; bytes that were queued before would be taken for answers. So
/// both are cleared when the port opens, and the settings are put back when it closes.
public final class SerialPort: PollableChannel {
    public let name: String
    private let stream: StreamChannel
    private var saved: chost_serial_settings
    private let flowControl: FlowControl
    private let interruption: Interruption

    /// Bits per second that a port may be asked for.
    public static let rates = 300...12_000_000

    /// How long `close` waits for the last bytes to leave.
    public var drainLimit = Duration.seconds(1)

    /// - Parameters:
    ///   - path: a serial device's or a pty's.
    ///   - baud: bits per second; any rate that the driver can make.
    /// - Throws: `.channelUnavailable` if there is no such port, naming those that exist, or if the
    ///   user may not open it; `.channelBusy` if a process has it, naming it if it can be found.
    public convenience init(
        path: String, baud: UInt32, flowControl: FlowControl = .none, interruption: Interruption
    ) throws(ProvisioningError) {
        guard let descriptor = try Self.openTerminal(path) else {
            throw Self.openFailure(path, SystemError(ENOTTY))
        }
        try self.init(descriptor, path, baud, flowControl, interruption)
    }

    /// Nil if `path` is no tty. Nobody else may look at that before: opening a tty moves its modem lines, and so
    /// does closing one whose settings are not ours, which resets many a board.
    public convenience init?(
        ifTerminal path: String, baud: UInt32, interruption: Interruption
    ) throws(ProvisioningError) {
        guard let descriptor = try Self.openTerminal(path) else { return nil }
        try self.init(descriptor, path, baud, .none, interruption)
    }

    private init(
        _ descriptor: Int32, _ path: String, _ baud: UInt32, _ flowControl: FlowControl,
        _ interruption: Interruption
    ) throws(ProvisioningError) {
        name = path
        self.flowControl = flowControl
        self.interruption = interruption
        var isOpen = false
        defer { if !isOpen { closeDescriptor(descriptor) } }
        // TIOCEXCL does not stop root, nor what has the port already; flock stops whoever asks.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw Self.openFailure(path, .last)
        }
        _ = chost_serial_exclusive(descriptor, true)
        saved = chost_serial_settings()
        do {
            try Self.configure(descriptor, path, baud, flowControl, &saved)
        } catch {
            _ = chost_serial_exclusive(descriptor, false)
            throw error
        }
        stream = try StreamChannel(
            descriptor: descriptor, name: path, interruption: interruption,
            closedHint: "was the board unplugged, or did it reset its USB port?")
        isOpen = true
    }

    /// Nil if it is no tty.
    private static func openTerminal(_ path: String) throws(ProvisioningError) -> Int32? {
        guard !FileKind.isOwnTerminal(path) else { return nil }
        let descriptor = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw openFailure(path, .last) }
        // Nobody is at the other end of a pseudo-terminal that opening `/dev/ptmx` has just made.
        guard isatty(descriptor) == 1, !chost_serial_is_master(descriptor) else {
            closeDescriptor(descriptor)
            return nil
        }
        return descriptor
    }

    deinit { close() }

    /// Refuses what is no port, or is closed to the user, without opening it.
    ///
    /// - Throws: `.channelUnavailable`, as opening it would.
    public static func checkPresence(path: String) throws(ProvisioningError) {
        guard access(path, R_OK | W_OK) == 0 else { throw openFailure(path, .last) }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR,
            !FileKind.isOwnTerminal(path)
        else {
            throw openFailure(path, SystemError(ENOTTY))
        }
    }

    public var pollDescriptor: Int32 { stream.pollDescriptor }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        try stream.read(atMost: limit, within: timeout)
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        try stream.write(bytes, within: timeout)
    }

    /// Goes on at another rate; what is queued is discarded.
    ///
    /// - Throws: `.channelUnavailable` if the port does not make it.
    public func setRate(_ baud: UInt32) throws(ProvisioningError) {
        var present = chost_serial_settings()
        try Self.configure(pollDescriptor, name, baud, flowControl, &present)
    }

    /// Moves the modem lines.
    ///
    /// - Throws: `.channelUnavailable` if there are none, as behind a pseudo-terminal.
    public func perform(_ sequence: ModemSequence) throws(ProvisioningError) {
        for step in sequence.steps {
            switch step {
            case .wait(let duration): try interruption.pause(for: duration)
            case .lines(let dtr, let rts):
                let error = chost_serial_lines(pollDescriptor, Self.level(dtr), Self.level(rts))
                guard error == 0 else {
                    throw ProvisioningError(
                        .channelUnavailable,
                        "\(name) cannot set \(step): \(SystemError(error))",
                        hint:
                            "a pseudo-terminal has no modem lines: leave the reset away with --no-reset"
                    )
                }
            }
        }
    }

    /// Whether a program is at the other end, and no wire.
    public var isPseudoTerminal: Bool { chost_serial_is_pseudo(pollDescriptor) }

    private static func level(_ line: Bool?) -> Int32 { line.map { $0 ? 1 : 0 } ?? -1 }

    private static func configure(
        _ descriptor: Int32, _ path: String, _ baud: UInt32, _ flowControl: FlowControl,
        _ saved: inout chost_serial_settings
    ) throws(ProvisioningError) {
        let error = chost_serial_configure(descriptor, baud, flowControl.value, &saved)
        guard error != ENOTSUP || flowControl == .none else {
            _ = chost_serial_restore(descriptor, &saved)
            throw ProvisioningError(
                .channelUnavailable, "\(path) has no flow control \(flowControl.rawValue)",
                hint: "can this port do it? leave it away with --flow-control none")
        }
        // A driver may take another rate than it was asked for, and say nothing.
        let actual = chost_serial_baud(descriptor)
        guard error == 0, isNear(actual, baud) else {
            let reason = error == 0 ? "it makes \(actual)" : "\(SystemError(error))"
            if error == 0 { _ = chost_serial_restore(descriptor, &saved) }
            throw ProvisioningError(
                .channelUnavailable, "\(path) cannot be set to \(baud) baud: \(reason)")
        }
    }

    /// Waits up to `drainLimit` for what was written to leave, then restores the settings.
    public func close() {
        let descriptor = stream.pollDescriptor
        guard descriptor >= 0 else { return }
        let deadline = Deadline(within: drainLimit)
        // Unlike tcdrain, this ends; and a close would wait for half a minute on a stuck line.
        while chost_serial_unsent(descriptor) > 0 && !deadline.isPast { usleep(2000) }
        chost_serial_discard_output(descriptor)
        _ = chost_serial_restore(descriptor, &saved)
        _ = chost_serial_exclusive(descriptor, false)
        // A process that is being started shares the descriptor for an instant, and the lock with it.
        _ = flock(descriptor, LOCK_UN)
        stream.close()
    }

    /// Within 3 %, which a UART's start bit still makes good. 0 is unknown.
    private static func isNear(_ actual: UInt32, _ wanted: UInt32) -> Bool {
        actual == 0 || max(actual, wanted) - min(actual, wanted) <= wanted / 33
    }

    /// What an errno value of opening or locking `path` means to the user.
    static func openFailure(_ path: String, _ error: SystemError) -> ProvisioningError {
        switch error.number {
        case ENOENT, ENXIO, ENODEV, ENOTDIR:
            return ProvisioningError(
                .channelUnavailable, "there is no port \(path)", hint: existingPorts)
        case ENOTTY, EISDIR:
            return ProvisioningError(
                .channelUnavailable, "\(path) is not a serial port, but \(FileKind.name(of: path))",
                hint: existingPorts)
        case EACCES, EPERM:
            return ProvisioningError(
                .channelUnavailable, "\(path): \(error)", hint: FileKind.accessHint(path))
        case EBUSY, EWOULDBLOCK:
            let holder = PortHolder.find(path).map { "\($0)" } ?? "another process"
            return ProvisioningError(
                .channelBusy, "\(path) is in use by \(holder)", hint: "close it and try again")
        default:
            return ProvisioningError(
                .channelUnavailable, "\(path): \(error)", hint: "is the board plugged in and sound?"
            )
        }
    }

    private static var existingPorts: String {
        let ports = SerialPorts.list().map(\.path)
        return ports.isEmpty
            ? "no serial port exists: is the board plugged in?"
            : "ports that exist: \(ports.joined(separator: ", "))"
    }
}

/// What a path that is no port is, and whose a port is.
private enum FileKind {
    /// Whether it is `/dev/tty`, whatever terminal that is for this process, or none.
    static func isOwnTerminal(_ path: String) -> Bool {
        var (terminal, status) = (stat(), stat())
        return stat("/dev/tty", &terminal) == 0 && terminal.st_mode & S_IFMT == S_IFCHR
            && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
            && status.st_rdev == terminal.st_rdev
    }

    static func name(of path: String) -> String {
        if isOwnTerminal(path) { return "the terminal that this was started from" }
        var status = stat()
        guard stat(path, &status) == 0 else { return "something else" }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return "a folder"
        case S_IFREG: return "a file"
        case S_IFIFO: return "a pipe"
        case S_IFBLK: return "a disk"
        default: return "another device"
        }
    }

    /// How a user gets to open `path`: through its group, where that may read and write.
    static func accessHint(_ path: String) -> String {
        var status = stat()
        guard stat(path, &status) == 0 || errno != EACCES else {
            return "a folder on the way to it is closed to you: ask who owns it"
        }
        let mayGroup = status.st_mode & 0o060 == 0o060
        guard status.st_mode != 0 else { return joining("dialout") }
        guard mayGroup, let name = groupName(status.st_gid) else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            return "only user \(status.st_uid) may open it, its mode is \(mode): "
                + "ask for access, or for a udev rule"
        }
        return joining(name)
    }

    /// Nil for a group without a name.
    private static func groupName(_ number: gid_t) -> String? {
        // getgrgid has one result for all threads.
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        var entry = group()
        var result: UnsafeMutablePointer<group>?
        guard getgrgid_r(number, &entry, &buffer, buffer.count, &result) == 0, result != nil,
            let name = entry.gr_name
        else { return nil }
        return String(cString: name)
    }

    private static func joining(_ group: String) -> String {
        "join the group that owns it and log in again: sudo usermod -aG \(group) $USER"
    }
}
