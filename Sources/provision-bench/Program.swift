import Channels
import Foundation
import Provisioning

/// A program of this machine that a benchmark runs, and what a run of it costs.
struct Program {
    var arguments: [String]
    var directory: URL?
    var environment: [String: String?] = [:]

    /// - Parameter environment: added to this process's.
    init(_ arguments: [String], in directory: URL? = nil, _ environment: [String: String?] = [:]) {
        self.arguments = arguments
        self.directory = directory
        self.environment = environment
    }

    struct Run {
        let ending: ProcessEnding
        /// From before it is started to when its end is known.
        let seconds: Double
        /// The most memory that it had in RAM, in bytes; 0 unless asked for.
        let peakMemory: Double
        /// Standard output, then standard error.
        let output: String

        var lastLine: String {
            output.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
        }
    }

    /// Seconds after which a program is killed.
    private static let limit = Duration.seconds(1800)

    /// Runs the program to its end.
    ///
    /// - Parameter watchesMemory: looks at it every millisecond, which costs some time. What
    ///   `wait4` tells would begin with this process's own memory.
    func run(watchesMemory: Bool = false) throws -> Run {
        let (output, error) = (try OutputFile(), try OutputFile())
        let clock = ContinuousClock()
        let start = clock.now
        let child = try ChildProcess(
            Command(arguments, directory: directory?.path, environment: environment),
            output: output.descriptor, error: error.descriptor, failure: .internalFailure)
        var peakMemory = 0.0
        if watchesMemory {
            while clock.now - start < Self.limit,
                try child.wait(within: .milliseconds(1), interruption: nil) == nil
            {
                peakMemory = max(peakMemory, Self.peakMemory(of: child.processID))
            }
        }
        let ending = try child.wait(within: Self.limit, interruption: nil)
        let seconds = (clock.now - start) / .seconds(1)
        guard let ending else { throw Failure("\(child.command) takes over \(Self.limit)") }
        return Run(
            ending: ending, seconds: seconds, peakMemory: peakMemory,
            output: output.text + error.text)
    }

    /// As `run`, and it has to succeed.
    func runSuccessfully(watchesMemory: Bool = false) throws -> Run {
        let run = try run(watchesMemory: watchesMemory)
        guard run.ending.isSuccess else {
            throw Failure("\(Command(arguments)) \(run.ending):\n\(run.output.suffix(2000))")
        }
        return run
    }

    /// `VmHWM` in bytes; 0 once the process has no memory any more, and as long as that is this program's: Linux
    /// wakes who starts a process a moment before it gets its own.
    private static func peakMemory(of process: Int32) -> Double {
        guard programFile(of: "\(process)") != programFile(of: "self") else { return 0 }
        let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
        return (kibibytes.flatMap { Double($0) } ?? 0) * 1024
    }

    private static func programFile(of process: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    }
}

/// A file without a name, for a program's output: unlike a pipe, nobody has to read along.
private final class OutputFile {
    let descriptor: Int32

    init() throws {
        var path = Array("\(NSTemporaryDirectory())/provision-bench.XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw Failure("no temporary file: \(errno)") }
        unlink(path)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    var text: String {
        lseek(descriptor, 0, SEEK_SET)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        return String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
    }
}
