import CHost
import Foundation

/// What a process took, as the kernel counted it.
struct ProcessMeter {
    let seconds: Double
    /// Peak of the resident set, in megabytes of 10^6 bytes.
    let peakMegabytes: Double
    /// What it wrote to standard output.
    let output: Output

    struct Output {
        /// Line feeds.
        fileprivate(set) var lineCount = 0
        fileprivate(set) var byteCount = 0
        /// The first of it, as text.
        fileprivate(set) var beginning = ""
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs the executable to its end, and reads what it writes as fast as it comes.
    ///
    /// - Throws: `Failure` if it can't be started, or its exit status is not 0.
    init(_ executable: URL, _ arguments: [String], home: URL) throws {
        try Self.forgetOwnPeak()
        // The process must not have the end that is read: it would wait for itself if we die.
        var (output, input) = (Int32(-1), Int32(-1))
        guard chost_pipe(&output, &input, false) == 0 else {
            throw Failure(description: "no pipe: \(String(cString: strerror(errno)))")
        }
        defer { close(output) }
        let clock = ContinuousClock()
        let start = clock.now
        let process: pid_t
        do {
            defer { close(input) }
            process = try Self.spawn(executable.path, arguments, home, output: input)
        }
        self.output = Self.drain(output)
        var status: Int32 = 0
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
        seconds = (clock.now - start) / .seconds(1)
        peakMegabytes = Double(usage.ru_maxrss) * 1024 / 1e6
        guard status == 0 else {
            throw Failure(description: "provision \(arguments) ended with wait status \(status)")
        }
    }

    /// A new process inherits the peak of the one that made it (`exec_mmap` in Linux): ours must not
    /// be the greater one.
    private static func forgetOwnPeak() throws {
        // glibc keeps what was freed; Swift's module of it has no name for this.
        if let symbol = dlsym(nil, "malloc_trim") {
            typealias Trim = @convention(c) (Int) -> Int32
            _ = unsafeBitCast(symbol, to: Trim.self)(0)
        }
        try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ home: URL, output: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        var environment = ProcessInfo.processInfo.environment
        environment["PROVISION_HOME"] = home.path
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] =
            environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for string in argv + envp { free(string) } }
        var process = pid_t()
        let error = posix_spawn(&process, path, &actions, nil, &argv, &envp)
        guard error == 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(error)))")
        }
        return process
    }

    private static func drain(_ descriptor: Int32) -> Output {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var output = Output()
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return output }
            if output.byteCount == 0 {
                output.beginning = String(decoding: buffer[..<count], as: UTF8.self)
            }
            output.byteCount += count
            output.lineCount += buffer[..<count].count { $0 == UInt8(ascii: "\n") }
        }
    }
}
