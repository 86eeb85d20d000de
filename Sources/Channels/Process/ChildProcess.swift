import CHost
public import Provisioning
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A child with a process group of its own, which ends with this object at the latest, and on Linux with
/// this process, however that ends. Whatever the child leaves in its group when it ends is killed.
///
/// It takes a process that has SIGCHLD at its default, and in which nothing else waits for this child.
public final class ChildProcess: Sendable {
    public let processID: Int32
    public let command: Command
    /// Becomes readable at the end; −1 where the system has no such thing.
    private let endDescriptor: Int32
    private let ending = Mutex<ProcessEnding?>(nil)

    /// Where a system has no process descriptors, this often is looked.
    private static let lookInterval = Duration.milliseconds(10)

    /// Starts `command`.
    ///
    /// - Parameters:
    ///   - input, output, error: descriptors for the child, which the caller keeps; nil is /dev/null.
    ///   - inheriting: more of them: 3 and up in the child, at most `CHOST_INHERITED_MAX`.
    ///   - failure: the code of the error if it can't be started.
    public init(
        _ command: Command, input: Int32? = nil, output: Int32? = nil, error: Int32? = nil,
        inheriting inherited: [Int32] = [], failure: ErrorCode
    ) throws(ProvisioningError) {
        self.command = command
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw ProvisioningError(failure, "/dev/null: \(SystemError.last)") }
        defer { closeDescriptor(null) }
        let launch = try Launch(command, failure: failure)
        defer { launch.free() }
        var pid: pid_t = 0
        let status = inherited.withUnsafeBufferPointer { inherited in
            var request = chost_spawn_request(
                path: launch.path, argv: launch.arguments, envp: launch.environment,
                directory: launch.directory, input: input ?? null, output: output ?? null,
                error: error ?? null, inherited: inherited.baseAddress,
                inherited_count: inherited.count)
            return chost_spawn(&request, &pid)
        }
        guard status == 0 else {
            throw Self.failure(command, status, failure)
        }
        // It is signalled as a group, by its negative: that of 1 would be every process there is.
        precondition(pid > 1, "a child with the process ID \(pid)")
        processID = pid
        endDescriptor = chost_pidfd_open(pid)
    }

    /// Why exec refused it.
    private static func failure(
        _ command: Command, _ status: Int32, _ code: ErrorCode
    ) -> ProvisioningError {
        let program = command.arguments.first ?? ""
        // Of a script that is there, the system says so when it means the interpreter.
        guard [ENOENT, ENOTDIR, EACCES].contains(status), let place = command.programPath,
            let interpreter = ScriptInterpreter(of: place)?.path, access(interpreter, X_OK) != 0
        else {
            return ProvisioningError(
                code, "\(program) cannot be run: \(SystemError(status))", hint: hint(for: status))
        }
        return ProvisioningError(
            code,
            "\(program) cannot be run: its first line names the interpreter "
                + "\(String(reflecting: interpreter)): \(SystemError.last)",
            hint: interpreter.hasSuffix("\r")
                ? "its lines end with CR and LF: save it with LF alone"
                : "install that, or name another one behind #!")
    }

    private static func hint(for error: Int32) -> String? {
        switch error {
        case ENOEXEC, EACCES: "is it a program of this computer, whole and executable?"
        case ENOENT: "is it installed? provision doctor shows what is missing"
        default: nil
        }
    }

    deinit {
        terminate(grace: .zero)
        if endDescriptor >= 0 { closeDescriptor(endDescriptor) }
    }

    /// Nil while it runs.
    public var currentEnding: ProcessEnding? {
        ending.withLock { ending in
            if let ending { return ending }
            var value: Int32 = 0
            let state = chost_child_state(processID, false, &value)
            switch state {
            case Int32(CHOST_RUNNING): return nil
            // Its ID, and the group's, may be a stranger's by now: nothing is signalled.
            case Int32(CHOST_LOST): ending = .unknown
            default:
                // Not reaped yet, its ID is still its own, and so is the group's.
                kill(-processID, SIGKILL)
                _ = chost_child_state(processID, true, &value)
                ending = state == Int32(CHOST_EXITED) ? .exited(value) : .signalled(value)
            }
            return ending
        }
    }

    /// Waits for the end.
    ///
    /// - Returns: nil if it still runs after `timeout`.
    /// - Throws: `.interrupted`; the child goes on then.
    public func wait(within timeout: Duration, interruption: Interruption?)
        throws(ProvisioningError) -> ProcessEnding?
    {
        let deadline = Deadline(within: timeout)
        while true {
            if let ending = currentEnding { return ending }
            if deadline.isPast { return nil }
            let next =
                endDescriptor >= 0
                ? deadline : deadline.earlier(of: Deadline(within: Self.lookInterval))
            _ = try Poll.wait(endDescriptor, for: Poll.readable, until: next, interruption)
        }
    }

    /// Asks the child, its group and all below it to end, and after `grace` makes them (SIGKILL).
    /// Idempotent.
    ///
    /// - Parameter asking: the signal that asks; nil is SIGTERM.
    @discardableResult
    public func terminate(
        grace: Duration = .seconds(1), asking request: Int32? = nil
    ) -> ProcessEnding? {
        if let ending = currentEnding { return ending }
        send(SIGSTOP)
        let tree = ProcessTree(stoppingAllBelow: processID)
        // Also where the child ends first: its own children may have groups of their own.
        defer { tree.signal(SIGKILL) }
        if grace > .zero {
            for number in [request ?? SIGTERM, SIGCONT] {
                send(number)
                tree.signal(number)
            }
            if let ending = try? wait(within: grace, interruption: nil) { return ending }
            // What it started since then.
            send(SIGSTOP)
            ProcessTree(stoppingAllBelow: processID).signal(SIGKILL)
        }
        send(SIGKILL)
        // Only a process that waits for a broken device in the kernel takes longer.
        return try? wait(within: .seconds(5), interruption: nil)
    }

    /// What is below the child at this moment; nothing once it has ended.
    var tree: ProcessTree {
        // Not reaped yet, its ID is still its own.
        ending.withLock { ProcessTree(below: $0 == nil ? processID : 0) }
    }

    /// Only while the child is known not to have been reaped.
    private func send(_ signal: Int32) {
        ending.withLock { ending in
            if ending == nil { kill(-processID, signal) }
        }
    }

    var pollEntry: Poll.Entry { Poll.Entry(endDescriptor, Poll.readable) }
}
