import Foundation
import Testing

/// `provision run` that is killed while it says which steps it has done.
final class KillableRun {
    private let process = Process()
    private let pipe = Pipe()
    private let ended = DispatchSemaphore(value: 0)
    private let output: FullPipe?
    private(set) var errorOutput = ""
    /// Whether the victim was alive when `kill` met it, and died.
    private(set) var hasKilled = false

    /// - Parameter output: where it writes its result. It is read from `end` on, so that until then the run
    ///   waits there, and does not end; nil: its result is of no interest.
    init(
        _ provision: Executable, program: URL = Executable.url, _ arguments: [String],
        environment: [String: String] = [:], output: FullPipe? = nil
    ) throws {
        self.output = output
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = provision.home
        process.environment = ProcessInfo.processInfo.environment
            .merging(["PROVISION_HOME": provision.home.path]) { $1 }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output?.input ?? FileHandle.nullDevice
        process.standardError = pipe
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
    }

    var processID: Int32 { process.processIdentifier }

    /// The steps that it said it had done.
    var steps: [String] {
        errorOutput.split(separator: "\n").compactMap { line in
            line.hasPrefix("provision") ? nil : line.split(separator: " ").first.map(String.init)
        }
    }

    /// Waits until `step` is done; false if the run ends without.
    func says(_ step: String) -> Bool {
        while !steps.contains(step) {
            guard readMore() else { return false }
        }
        return true
    }

    /// Kills it, or what it started, and waits for the end. Nil: it did not end in time.
    func kill(_ victim: Victim) throws -> Int32? {
        switch victim {
        case .run:
            Foundation.kill(processID, SIGKILL)
            let status = end()
            hasKilled = status == SIGKILL && process.terminationReason == .uncaughtSignal
            return status
        case .emulator:
            for child in try LiveProcesses.children(of: processID) {
                // One that is about to become the emulator still runs the run's own program.
                let program = LiveProcesses.program(of: child)
                Foundation.kill(child, SIGKILL)
                if let program, program != Executable.url.resolvingSymlinksInPath().path {
                    hasKilled = LiveProcesses.isGone(child)
                }
            }
            return end()
        }
    }

    enum Victim: String, CaseIterable {
        case run, emulator
    }

    /// Its status at the end. Nil: it did not end in time and was killed.
    func end(within seconds: Double = 60) -> Int32? {
        output?.drain()
        // What it says fits the pipe.
        let isInTime = ended.wait(timeout: .now() + seconds) == .success
        if !isInTime {
            Foundation.kill(processID, SIGKILL)
            ended.wait()
        }
        while readMore() {}
        pipe.close()
        return isInTime ? process.terminationStatus : nil
    }

    private func readMore() -> Bool {
        let data = pipe.fileHandleForReading.availableData
        errorOutput += String(decoding: data, as: UTF8.self)
        return !data.isEmpty
    }
}

/// What `/proc` knows.
enum LiveProcesses {
    static func children(of processID: Int32) throws -> [Int32] {
        let threads = try? FileManager.default.contentsOfDirectory(
            atPath: "/proc/\(processID)/task")
        return (threads ?? []).flatMap { thread in
            let list = try? String(
                contentsOfFile: "/proc/\(processID)/task/\(thread)/children", encoding: .utf8)
            return (list ?? "").split(separator: " ").compactMap { Int32($0) }
        }
    }

    /// The file that it runs; nil: it has ended.
    static func program(of processID: Int32) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(processID)/exe")
    }

    /// Whether it ends within ten seconds. Whose child it is may not know yet.
    static func isGone(_ processID: Int32) -> Bool {
        for _ in 0..<10_000 {
            if program(of: processID) == nil { return true }
            usleep(1_000)
        }
        return false
    }

    /// Of all that have this `PROVISION_HOME`.
    static func of(_ home: URL) throws -> [Int32] {
        let mark = Data("PROVISION_HOME=\(home.path)\0".utf8)
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            guard let processID = Int32(name),
                let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
                environment.firstRange(of: mark) != nil
            else { return nil }
            return processID
        }
    }
}
