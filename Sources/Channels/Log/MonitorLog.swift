import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a flash tool prints while it goes on, and the tool itself.
public final class MonitorLog: PollableChannel, DeviceLog {
    /// The program's, without its folder.
    public let name: String
    public let isFile = false
    private let command: Command
    private let child: ChildProcess
    private var descriptor: Int32
    private let interruption: Interruption
    private var splitter = LineSplitter()
    private var tail: [String] = []
    private var ending: ProcessEnding?
    /// Whether the firmware has said something: what ends the tool then is no flashing that failed.
    var hasFlashed = false

    private static let tailLength = 20
    /// How long a tool may take to end after it closed its output.
    private let patience: Duration
    /// How long a tool that is ended may take to let the probe go. No time-out: nothing fails when it is over, the
    /// tool is killed.
    private static let grace = Duration.seconds(3)

    /// Whether the tool has ended, and not well.
    public var hasFailed: Bool { ending.map { !$0.isSuccess } ?? false }

    /// - Parameter patience: for the tool to end after it closed its output.
    init(
        _ command: Command, usesTerminal: Bool, patience: Duration, interruption: Interruption
    ) throws(ProvisioningError) {
        self.command = command
        self.patience = patience
        let program = command.arguments.first ?? ""
        name = program.split(separator: "/").last.map(String.init) ?? program
        self.interruption = interruption
        let ends = usesTerminal ? try Self.terminal() : try Self.pipe()
        defer { closeDescriptor(ends.tool) }
        do {
            child = try ChildProcess(
                command, input: usesTerminal ? ends.tool : nil, output: ends.tool,
                error: ends.tool, failure: .flashFailed)
        } catch {
            closeDescriptor(ends.ours)
            throw error
        }
        descriptor = ends.ours
    }

    deinit { close() }

    private static func pipe() throws(ProvisioningError) -> (ours: Int32, tool: Int32) {
        var ends: (ours: Int32, tool: Int32) = (-1, -1)
        let error = chost_pipe(&ends.ours, &ends.tool, false)
        guard error == 0 else {
            throw ProvisioningError(.flashFailed, "no pipe: \(SystemError(error))")
        }
        return ends
    }

    /// Wide, so that no tool breaks a report.
    private static func terminal() throws(ProvisioningError) -> (ours: Int32, tool: Int32) {
        do throws(SystemError) {
            let terminal = try PseudoTerminal(columns: 8192)
            return (terminal.master, terminal.slave)
        } catch {
            throw ProvisioningError(.flashFailed, "no pseudo-terminal: \(error)")
        }
    }

    public var pollDescriptor: Int32 { descriptor }

    public func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError)
        -> [UInt8]
    {
        guard limit > 0 else { return [] }
        guard descriptor >= 0 else { throw .logEnded("\(name) was ended before") }
        let deadline = Deadline(within: timeout)
        while try Poll.wait(descriptor, for: Poll.readable, until: deadline, interruption) {
            switch readLog(limit, { readBytes(descriptor, $0, limit) }) {
            case .success(let bytes) where bytes.isEmpty: throw try endOfLog()
            case .success(let bytes):
                keepTail(splitter.split(bytes))
                return bytes
            case .failure(let error) where [EAGAIN, EINTR].contains(error.number): continue
            // EIO: nobody has the terminal any more.
            case .failure: throw try endOfLog()
            }
        }
        return []
    }

    /// Why there is no more of it.
    private func endOfLog() throws(ProvisioningError) -> ProvisioningError {
        keepTail(splitter.finish())
        ending = try child.wait(within: patience, interruption: interruption)
        let what = ending.map { "\($0)" } ?? "has closed its output"
        guard !hasFlashed, ending?.isSuccess != true else { return .logEnded("\(name) \(what)") }
        let lines = tail.map { "\n\(CommandRunner.margin)\($0)" }.joined()
        return ProvisioningError(
            .flashFailed, "\(command) \(what)\(lines)",
            hint: "is the board attached and the probe free? then run it again")
    }

    private func keepTail(_ lines: [String]) {
        tail += lines.filter { !$0.isEmpty }.map { PlainText.sanitized($0.utf8) }
        tail.removeFirst(max(0, tail.count - Self.tailLength))
    }

    public func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        throw .readOnlyLog(name)
    }

    public func close() { end() }

    /// Ends the tool, as Ctrl-C does. Idempotent.
    @discardableResult
    public func end() -> ProcessEnding? {
        ending = ending ?? child.terminate(grace: Self.grace, asking: SIGINT)
        if descriptor >= 0 { closeDescriptor(descriptor) }
        descriptor = -1
        return ending
    }
}
