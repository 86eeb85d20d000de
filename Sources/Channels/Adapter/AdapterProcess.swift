import CHost
import PlatformAdapter
public import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An adapter as a child process: lines on its standard input and output; what it writes to standard error
/// is its log.
public final class AdapterProcess: AdapterTransport {
    public var name: String { program.path }
    private let program: AdapterProgram
    private let child: ChildProcess
    private var (input, output, logOutput) = (Int32(-1), Int32(-1), Int32(-1))
    private let interruption: Interruption
    private let log: (String) -> Void
    private var splitter = AdapterLineSplitter()
    private var parts: [AdapterLineSplitter.Part] = []
    private var logSplitter = LineSplitter()
    private var tail: [String] = []

    private static let tailLength = 10
    /// Lines that wait here. More stay in the pipe, until somebody takes these.
    private static let maximumWaitingLines = 1024
    /// For an adapter to let its board go, once its input has ended.
    static let grace = Duration.milliseconds(1500)

    /// Starts it.
    ///
    /// - Parameter log: gets each line of its log, on the calling thread.
    /// - Throws: `.adapterFailed`.
    public init(
        _ program: AdapterProgram, interruption: Interruption, log: @escaping (String) -> Void
    ) throws(ProvisioningError) {
        self.program = program
        self.interruption = interruption
        self.log = log
        var ends = [Int32](repeating: -1, count: 6)
        defer { for index in [0, 3, 5] where ends[index] >= 0 { closeDescriptor(ends[index]) } }
        var failed: Int32 = 0
        for pair in 0..<3 where failed == 0 {
            var (readEnd, writeEnd): (Int32, Int32) = (-1, -1)
            failed = chost_pipe(&readEnd, &writeEnd, false)
            (ends[2 * pair], ends[2 * pair + 1]) = (readEnd, writeEnd)
        }
        do throws(ProvisioningError) {
            guard failed == 0 else {
                throw ProvisioningError(.adapterFailed, "no pipe: \(SystemError(failed))")
            }
            child = try ChildProcess(
                Command([program.path]), input: ends[0], output: ends[3], error: ends[5],
                failure: .adapterFailed)
        } catch {
            for index in [1, 2, 4] where ends[index] >= 0 { closeDescriptor(ends[index]) }
            throw error
        }
        (input, output, logOutput) = (ends[1], ends[2], ends[4])
        // The child has ends of its own: only these are not to wait.
        for descriptor in [input, output, logOutput] { _ = chost_set_nonblocking(descriptor, true) }
    }

    deinit { end() }

    public func send(_ line: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        let deadline = Deadline(within: timeout)
        var sent = 0
        while sent < line.count {
            guard input >= 0 else { throw ended() }
            let canWrite = try wait(until: deadline, toWrite: true)
            guard canWrite else {
                guard deadline.isPast else { continue }
                throw ProvisioningError(
                    .adapterSilent,
                    "\(name) took \(sent) of \(line.count) bytes of a request in \(timeout.brief)",
                    hint: "does it read its standard input while it works?")
            }
            let count = line.withUnsafeBytes {
                writeBytes(input, $0.baseAddress.map { $0 + sent }, line.count - sent)
            }
            if count >= 0 {
                sent += count
            } else if errno != EAGAIN && errno != EINTR {
                throw ended()
            }
        }
    }

    public func receive(within timeout: Duration) throws(ProvisioningError) -> [UInt8]? {
        let deadline = Deadline(within: timeout)
        while true {
            if !parts.isEmpty {
                switch parts.removeFirst() {
                case .line(let line): return line
                case .oversized:
                    throw ProvisioningError(
                        .answerOversized,
                        "\(name) sends a line of more than "
                            + "\(AdapterProtocol.maximumLineLength) bytes",
                        hint: "does something else than the protocol go to its standard output?")
                }
            }
            guard output >= 0 else { throw ended() }
            _ = try wait(until: deadline, toWrite: false)
            if parts.isEmpty, output >= 0, deadline.isPast { return nil }
        }
    }

    /// Waits for what may come, and takes it.
    ///
    /// - Returns: whether the input can be written.
    private func wait(until deadline: Deadline, toWrite: Bool) throws(ProvisioningError) -> Bool {
        let hasRoom = parts.count < Self.maximumWaitingLines
        let happened = try Poll.wait(
            for: [
                Poll.Entry(hasRoom ? output : -1, Poll.readable),
                Poll.Entry(logOutput, Poll.readable),
                Poll.Entry(toWrite ? input : -1, Poll.writable),
            ], until: deadline, interruption)
        if happened[1].isReady { readLog() }
        if happened[0].isReady { readOutput() }
        return happened[2].isReady
    }

    private func readOutput() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = readBytes(output, &buffer, buffer.count)
        if count > 0 {
            parts += splitter.push(buffer[..<count])
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            closeDescriptor(output)
            output = -1
        }
    }

    private func readLog() {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let count = readBytes(logOutput, &buffer, buffer.count)
        if count > 0 {
            take(logSplitter.split(buffer[..<count]))
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            take(logSplitter.finish())
            closeDescriptor(logOutput)
            logOutput = -1
        }
    }

    private func take(_ lines: [String]) {
        for line in lines where !line.isEmpty {
            log(line)
            tail.append(PlainText.sanitized(line.utf8))
            if tail.count > Self.tailLength { tail.removeFirst() }
        }
    }

    /// Why nobody is there any more, with its last words.
    private func ended() -> ProvisioningError {
        let ending = try? child.wait(within: .seconds(1), interruption: nil)
        let deadline = Deadline(within: .milliseconds(200))
        while logOutput >= 0, !deadline.isPast {
            guard let isReady = try? Poll.wait(logOutput, for: Poll.readable, until: deadline, nil),
                isReady
            else { break }
            readLog()
        }
        let what = ending.map { "\($0)" } ?? "has closed its standard output"
        let lines = tail.map { "\n\(CommandRunner.margin)\($0)" }.joined()
        return ProvisioningError(
            .adapterFailed, "the adapter \(name) \(what)\(lines)",
            hint: "provision check \(name) shows what it does wrong")
    }

    /// Ends its standard input: for it, the host is gone. Idempotent.
    public func closeInput() {
        if input >= 0 { closeDescriptor(input) }
        input = -1
    }

    /// Waits for its end, and leaves aside whatever it still says.
    ///
    /// - Returns: nil if it still runs.
    @discardableResult
    public func waitForEnd(within timeout: Duration) throws(ProvisioningError) -> ProcessEnding? {
        // One that writes must not wait for a reader.
        let deadline = Deadline(within: timeout)
        while child.currentEnding == nil, !deadline.isPast {
            parts = []
            let entries = [
                Poll.Entry(output, Poll.readable), Poll.Entry(logOutput, Poll.readable),
                child.pollEntry,
            ]
            let next = deadline.earlier(of: Deadline(within: .milliseconds(50)))
            let happened = try Poll.wait(for: entries, until: next, nil)
            if happened[0].isReady { readOutput() }
            if happened[1].isReady { readLog() }
        }
        return child.currentEnding
    }

    public func end() {
        // What has a session of its own outlives an adapter that ends by itself.
        let tree = child.tree
        defer { tree.signal(SIGKILL) }
        closeInput()
        _ = try? waitForEnd(within: Self.grace)
        child.terminate(grace: .milliseconds(500))
        for descriptor in [output, logOutput] where descriptor >= 0 { closeDescriptor(descriptor) }
        (output, logOutput) = (-1, -1)
    }

    /// How it ended; nil while it runs.
    public var ending: ProcessEnding? { child.currentEnding }
    public var processID: Int32 { child.processID }
}
