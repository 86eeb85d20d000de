import Foundation
import Testing

/// The built `provision`, run as a user runs it, with a state directory of its own.
struct Executable {
    /// `PROVISION_HOME` of this run.
    let home: URL

    struct Result {
        let status: Int32
        let standardOutput: Data
        let standardError: String
        /// KiB, as last seen before the end; nil where the system does not tell, or nobody looked in time.
        let peakMemory: Int?
        /// From its start to its end.
        let seconds: Double

        var text: String { String(decoding: standardOutput, as: UTF8.self) }

        func json() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: standardOutput)
            return try #require(value as? [String: Any])
        }
    }

    /// The sanitizer that watches all of this, `address` or `thread`: `Scripts/test` says so.
    static let sanitizer = ProcessInfo.processInfo.environment["PROVISION_TEST_SANITIZER"]
    /// Whether all of this is slower by one.
    static let isSanitized = sanitizer != nil

    /// All of them; where a sanitizer watches, which each run of the executable costs a second or two, every
    /// fourth.
    ///
    /// - Parameter first: 0 to 3: where several tests take the same list, each takes others of it.
    static func sample<Case>(_ all: [Case], from first: Int = 0) -> [Case] {
        guard isSanitized else { return all }
        return all.enumerated().filter { $0.offset % 4 == first }.map(\.element)
    }

    static let packageRoot = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Beside the test bundle: SwiftPM puts all products of one build into one folder.
    static let url: URL = {
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return bundle.appending(path: "provision")
    }()

    /// A folder that is removed with the scope.
    static func withHome<T>(_ body: (Executable) throws -> T) throws -> T {
        let home = FileManager.default.temporaryDirectory
            .appending(path: "provision-test-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        return try body(Executable(home: home))
    }

    @discardableResult
    func callAsFunction(
        _ arguments: String..., input: String? = nil, within seconds: Double = 600
    ) throws -> Result {
        try run(Self.url, arguments, input: input, within: seconds)
    }

    /// Runs any program with this home; kills it, by process ID, when it takes too long.
    func run(
        _ program: URL, _ arguments: [String], in folder: URL = packageRoot, input: String? = nil,
        within seconds: Double = 600
    ) throws -> Result {
        let scratch = FileManager.default.temporaryDirectory
            .appending(path: "provision-io-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let files = ["in", "out", "err"].map { scratch.appending(path: $0) }
        for file in files { try Data().write(to: file) }
        try Data((input ?? "").utf8).write(to: files[0])

        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PROVISION_HOME": home.path]) { $1 }
        let handles = [
            try FileHandle(forReadingFrom: files[0]), try FileHandle(forWritingTo: files[1]),
            try FileHandle(forWritingTo: files[2]),
        ]
        // Foundation would keep them for as long as the tests run, hundreds in all.
        defer { for handle in handles { try? handle.close() } }
        process.standardInput = handles[0]
        process.standardOutput = handles[1]
        process.standardError = handles[2]
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        let start = ContinuousClock.now
        try process.run()
        let deadline = DispatchTime.now() + seconds
        var hasEnded = false
        var peakMemory: Int?
        while !hasEnded, .now() < deadline {
            peakMemory = Self.peakMemory(of: process.processIdentifier) ?? peakMemory
            hasEnded = ended.wait(timeout: .now() + .milliseconds(10)) == .success
        }
        let duration = start.duration(to: .now)
        if !hasEnded {
            kill(process.processIdentifier, SIGKILL)
            Issue.record("\(program.lastPathComponent) \(arguments) took over \(seconds) s")
            // Foundation learns of the end only when also all that it started have ended.
            try #require(ended.wait(timeout: .now() + 30) == .success, "it leaves processes behind")
        }
        return Result(
            status: process.terminationStatus,
            standardOutput: try Data(contentsOf: files[1]),
            standardError: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self),
            peakMemory: peakMemory, seconds: duration / .seconds(1))
    }

    /// KiB that a process had in memory at most: proc(5), VmHWM.
    ///
    /// Nil once it has ended. And before it runs its program: Linux wakes who started it a moment earlier, when
    /// its memory is still that of these tests.
    private static func peakMemory(of process: pid_t) -> Int? {
        guard let program = programFile(of: "\(process)"), program != programFile(of: "self"),
            let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        else { return nil }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").compactMap { Int($0) }.first
    }

    private static func programFile(of process: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    }
}
