import CHost
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A line that a command printed, without its end.
public struct CommandOutput: Sendable, Hashable {
    public enum Stream: Sendable, Hashable { case standardOutput, standardError }

    public let stream: Stream
    public let line: String
}

/// Runs build and flash commands: output line by line as it comes, status checked, nothing left behind.
public struct CommandRunner {
    public typealias OutputSink = (CommandOutput) -> Void

    private let interruption: Interruption
    private let sink: OutputSink

    /// What stands before each of the command's last lines in a reason.
    public static let margin = "  "

    /// How long an interrupted command may take to clean up.
    static let grace = Duration.seconds(1)
    /// How long to listen after the end for what is still in the pipes.
    private static let drain = Duration.milliseconds(200)

    /// - Parameter sink: gets each line on the calling thread. A carriage return ends a line, too, so
    ///   that progress shows.
    public init(interruption: Interruption, sink: @escaping OutputSink) {
        self.interruption = interruption
        self.sink = sink
    }

    /// Runs `command` with no input.
    ///
    /// - Parameter failure: the code of the error: `.buildFailed`, `.flashFailed`.
    /// - Throws: `failure` if the command can't be started, fails, or takes longer than `timeout`; the
    ///   reason ends with the last lines of its standard error. `.interrupted`. The whole process group
    ///   has ended by then.
    public func run(_ command: Command, timeout: Duration, failure: ErrorCode)
        throws(ProvisioningError)
    {
        let result = try capture(command, timeout: timeout, failure: failure)
        guard result.ending?.isSuccess == true else {
            let what = result.ending.map { "\($0)" } ?? "took longer than \(timeout.brief)"
            let lines = result.tail.map { "\n\(Self.margin)\($0)" }.joined()
            throw ProvisioningError(failure, "\(command) \(what)\(lines)")
        }
    }

    /// An ending, nil for a time-out, and the last lines.
    private func capture(_ command: Command, timeout: Duration, failure: ErrorCode)
        throws(ProvisioningError) -> (ending: ProcessEnding?, tail: [String])
    {
        var pipes = try OutputPipes(failure: failure)
        defer { pipes.close() }
        let child = try ChildProcess(
            command, output: pipes.outputEnd, error: pipes.errorEnd, failure: failure)
        pipes.closeWriteEnds()
        do {
            let deadline = Deadline(within: timeout)
            while child.currentEnding == nil && !deadline.isPast {
                try pipes.relay(until: deadline, child.pollEntry, interruption, sink)
            }
            guard let ending = child.currentEnding else {
                child.terminate(grace: Self.grace)
                try pipes.drain(until: Deadline(within: Self.drain), interruption, sink)
                return (nil, pipes.tail)
            }
            try pipes.drain(until: Deadline(within: Self.drain), interruption, sink)
            return (ending, pipes.tail)
        } catch {
            // Ctrl-C reaches the tool, which may have a probe to let go.
            child.terminate(grace: Self.grace, asking: SIGINT)
            throw error
        }
    }
}

/// The two pipes that a command writes to.
private struct OutputPipes {
    private(set) var outputEnd: Int32 = -1
    private(set) var errorEnd: Int32 = -1
    private var readEnds: [Int32] = [-1, -1]
    private var splitters = [LineSplitter(), LineSplitter()]
    private var tails: [[String]] = [[], []]

    static let tailLength = 20
    private static let streams: [CommandOutput.Stream] = [.standardOutput, .standardError]
    /// Where a process has no descriptor to poll, its end is looked for this often.
    private static let lookInterval = Duration.milliseconds(20)

    init(failure: ErrorCode) throws(ProvisioningError) {
        var error = chost_pipe(&readEnds[0], &outputEnd, false)
        if error == 0 { error = chost_pipe(&readEnds[1], &errorEnd, false) }
        guard error == 0 else {
            close()
            throw ProvisioningError(failure, "no pipe: \(SystemError(error))")
        }
    }

    /// Of standard error, or of standard output from a command that complains there.
    var tail: [String] { tails[1].isEmpty ? tails[0] : tails[1] }

    mutating func closeWriteEnds() {
        for end in [outputEnd, errorEnd] where end >= 0 { closeDescriptor(end) }
        (outputEnd, errorEnd) = (-1, -1)
    }

    mutating func close() {
        closeWriteEnds()
        for index in readEnds.indices { closeReadEnd(index) }
    }

    private mutating func closeReadEnd(_ index: Int) {
        if readEnds[index] >= 0 { closeDescriptor(readEnds[index]) }
        readEnds[index] = -1
    }

    /// Waits for output or for the child's end, and passes output on.
    mutating func relay(
        until deadline: Deadline, _ child: Poll.Entry, _ interruption: Interruption,
        _ sink: CommandRunner.OutputSink
    ) throws(ProvisioningError) {
        let next =
            child.descriptor >= 0
            ? deadline : deadline.earlier(of: Deadline(within: Self.lookInterval))
        let entries = readEnds.map { Poll.Entry($0, Poll.readable) } + [child]
        let happened = try Poll.wait(for: entries, until: next, interruption)
        for index in readEnds.indices where happened[index].isReady { readOnce(index, sink) }
    }

    /// Passes on what is left. A process that left the group may hold the pipes open: not for ever.
    mutating func drain(
        until deadline: Deadline, _ interruption: Interruption, _ sink: CommandRunner.OutputSink
    ) throws(ProvisioningError) {
        while readEnds.contains(where: { $0 >= 0 }) && !deadline.isPast {
            try relay(until: deadline, Poll.Entry(-1, 0), interruption, sink)
        }
        for index in readEnds.indices { emit(splitters[index].finish(), index, sink) }
    }

    private mutating func readOnce(_ index: Int, _ sink: CommandRunner.OutputSink) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = readBytes(readEnds[index], &buffer, buffer.count)
        guard count > 0 else { return closeReadEnd(index) }
        emit(splitters[index].split(buffer[..<count]), index, sink)
    }

    private mutating func emit(
        _ lines: [String], _ index: Int, _ sink: CommandRunner.OutputSink
    ) {
        for line in lines {
            sink(CommandOutput(stream: Self.streams[index], line: line))
            guard !line.isEmpty else { continue }
            tails[index].append(PlainText.sanitized(line.utf8))
            if tails[index].count > Self.tailLength { tails[index].removeFirst() }
        }
    }
}
