import Foundation
import Testing

/// `provision` in the background, for signals.
final class BackgroundRun {
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    private let folder: URL

    /// - Parameters:
    ///   - surrounding: one that becomes what it starts, so that signals reach the run.
    ///   - input: standard input; nil: nothing.
    ///   - output: where standard output goes, in the place of `output`.
    ///   - errorOutput: the same of standard error.
    init(
        _ provision: Executable, _ arguments: [String], in surrounding: Surrounding? = nil,
        input: FileHandle? = nil, output: FileHandle? = nil, errorOutput: FileHandle? = nil
    ) throws {
        folder = provision.home.appending(path: "background-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let command = (surrounding?.command ?? []) + [Executable.url.path] + arguments
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = Executable.packageRoot
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PROVISION_HOME": provision.home.path]) { $1 }
        process.standardInput = input ?? FileHandle.nullDevice
        for name in ["out", "err"] { try Data().write(to: folder.appending(path: name)) }
        let files = try ["out", "err"].map {
            try FileHandle(forWritingTo: folder.appending(path: $0))
        }
        // Foundation would keep them for as long as the tests run.
        defer { for file in files { try? file.close() } }
        process.standardOutput = output ?? files[0]
        process.standardError = errorOutput ?? files[1]
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
    }

    /// A test that ends early leaves nothing running.
    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var processID: Int32 { process.processIdentifier }
    var output: String { text("out") }
    var errorOutput: String { text("err") }

    /// Whether stderr contains `text` before the process ends or a minute is over.
    func says(_ text: String) -> Bool { holds { errorOutput.contains(text) } }

    /// The same of stdout.
    func prints(_ text: String, within seconds: Double = 60) -> Bool {
        holds(within: seconds) { output.contains(text) }
    }

    /// Whether the file is there before the process ends or a minute is over.
    func waits(for file: String) -> Bool {
        holds { FileManager.default.fileExists(atPath: file) }
    }

    /// A look after the process's end counts: what it wrote last may come after the look before.
    private func holds(within seconds: Double = 60, _ condition: () -> Bool) -> Bool {
        for _ in 0..<Int(seconds * 20) {
            let ended = !process.isRunning
            if condition() { return true }
            if ended { return false }
            usleep(50_000)
        }
        return false
    }

    func json() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }

    /// The exit status. Nil: it did not end in time and was killed.
    func wait(within seconds: Double = 120) -> Int32? { status(within: seconds) }

    /// Ctrl-C, and what else asks a process to end.
    ///
    /// - Returns: the exit status, as a shell tells it: 128 and the signal that it died of. Nil: it did not
    ///   end in time and was killed.
    func interrupt(with signal: Int32 = SIGINT) -> Int32? {
        kill(process.processIdentifier, signal)
        return status(within: 60)
    }

    /// Keeps it from doing anything until `resume`: whatever it holds, it goes on holding.
    func suspend() { kill(process.processIdentifier, SIGSTOP) }

    func resume() { kill(process.processIdentifier, SIGCONT) }

    private func status(within seconds: Double) -> Int32? {
        guard ended.wait(timeout: .now() + seconds) == .success else {
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
            return nil
        }
        let status = process.terminationStatus
        return process.terminationReason == .exit ? status : 128 + status
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    }
}
