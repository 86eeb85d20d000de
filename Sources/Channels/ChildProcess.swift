import CHost
public import Provisioning
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A program, its arguments and where it runs. Never a shell's command line.
public struct Command: Sendable, Hashable, CustomStringConvertible {
    /// The program's name or path first.
    public var arguments: [String]
    /// Nil: this process's.
    public var directory: String?
    /// Added to this process's environment; nil removes.
    public var environment: [String: String?]

    public init(
        _ arguments: [String], directory: String? = nil, environment: [String: String?] = [:]
    ) {
        self.arguments = arguments
        self.directory = directory
        self.environment = environment
    }

    /// For messages, with quotes where a reader needs them.
    public var description: String {
        arguments.map { argument in
            let isPlain = !argument.isEmpty && !argument.contains { " \t'\"\\$*?[]".contains($0) }
            return isPlain ? argument : "'\(argument)'"
        }.joined(separator: " ")
    }
}

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

/// What exec takes, made before the fork.
private struct Launch {
    let path: UnsafeMutablePointer<CChar>?
    let directory: UnsafeMutablePointer<CChar>?
    let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// Where the environment has no PATH.
    static let standardPath = "/usr/local/bin:/usr/bin:/bin"

    init(_ command: Command, failure: ErrorCode) throws(ProvisioningError) {
        guard let program = command.arguments.first, !program.isEmpty else {
            throw ProvisioningError(failure, "no program to run")
        }
        let strings = command.arguments + command.environment.flatMap { [$0, $1 ?? ""] }
        guard !strings.contains(where: { $0.utf8.contains(0) }) else {
            throw ProvisioningError(failure, "\(program): an argument with a NUL byte")
        }
        if let directory = command.directory {
            var status = stat()
            guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw ProvisioningError(failure, "\(program): there is no folder \(directory)")
            }
        }
        let variables = Self.environment(overriding: command.environment)
        guard let path = Self.search(program, variables["PATH"] ?? Self.standardPath) else {
            throw ProvisioningError(
                failure, "there is no program \(program)",
                hint: "install it, or add its folder to PATH")
        }
        self.path = strdup(path)
        directory = command.directory.flatMap { strdup($0) }
        arguments = Self.table(command.arguments)
        environment = Self.table(variables.map { "\($0)=\($1)" })
    }

    func free() {
        Self.free(path)
        Self.free(directory)
        for table in [arguments, environment] {
            var next = table
            while let string = next.pointee {
                Self.free(string)
                next += 1
            }
            table.deallocate()
        }
    }

    private static func free(_ string: UnsafeMutablePointer<CChar>?) { freeMemory(string) }

    private static func table(_ strings: [String])
        -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    {
        let table = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
            capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            (table + index).initialize(to: strdup(string))
        }
        (table + strings.count).initialize(to: nil)
        return table
    }

    fileprivate static func environment(overriding changes: [String: String?]) -> [String: String] {
        var variables: [String: String] = [:]
        var next = chost_environment()
        while let entry = next?.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next = next.map { $0 + 1 }
        }
        for (name, value) in changes { variables[name] = value }
        return variables
    }

    /// A path stays as it is; a name is looked up, but never in the current folder.
    fileprivate static func search(_ program: String, _ path: String) -> String? {
        if program.contains("/") { return program }
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(program)"
            var status = stat()
            guard stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                access(candidate, X_OK) == 0
            else { continue }
            return candidate
        }
        return nil
    }
}

extension Command {
    /// Whether its program would be found, if it were run now.
    public var isInstalled: Bool { programPath != nil }

    /// Where its program would be found, if it were run now. Nil: nowhere.
    public var programPath: String? {
        guard let program = arguments.first else { return nil }
        let path = Launch.environment(overriding: environment)["PATH"] ?? Launch.standardPath
        guard let found = Launch.search(program, path) else { return nil }
        let place = found.hasPrefix("/") ? found : (directory.map { $0 + "/" } ?? "") + found
        return access(place, X_OK) == 0 ? place : nil
    }
}
