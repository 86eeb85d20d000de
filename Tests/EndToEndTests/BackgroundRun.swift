import Foundation
import Testing

/// `provision` in the background, for signals.
final class BackgroundRun {
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    private let folder: URL

    init(_ provision: Executable, _ arguments: [String]) throws {
        folder = provision.home.appending(path: "background-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process.executableURL = Executable.url
        process.arguments = arguments
        process.currentDirectoryURL = Executable.packageRoot
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PROVISION_HOME": provision.home.path]) { $1 }
        process.standardInput = FileHandle.nullDevice
        for name in ["out", "err"] { try Data().write(to: folder.appending(path: name)) }
        process.standardOutput = try FileHandle(forWritingTo: folder.appending(path: "out"))
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: "err"))
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
    }

    var processID: Int32 { process.processIdentifier }
    var output: String { text("out") }
    var errorOutput: String { text("err") }

    /// Whether stderr contains `text` before the process ends or a minute is over.
    func says(_ text: String) -> Bool {
        for _ in 0..<1200 {
            if errorOutput.contains(text) { return true }
            if !process.isRunning { return errorOutput.contains(text) }
            usleep(50_000)
        }
        return false
    }

    /// Ctrl-C. Nil: it did not end in time and was killed.
    func interrupt() -> Int32? {
        kill(process.processIdentifier, SIGINT)
        guard ended.wait(timeout: .now() + 30) == .success else {
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
            return nil
        }
        return process.terminationReason == .exit ? process.terminationStatus : nil
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    }
}
