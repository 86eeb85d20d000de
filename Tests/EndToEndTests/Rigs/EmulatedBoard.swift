import Foundation
import Testing

/// `provision emulate` in the background, as in another terminal.
struct EmulatedBoard {
    private let process: Process
    private let ended = DispatchSemaphore(value: 0)
    let port: String
    let probe: String?
    let emulatorProcessID: Int32

    init(_ provision: Executable, _ arguments: String...) throws {
        try self.init(provision, arguments)
    }

    init(_ provision: Executable, _ arguments: [String]) throws {
        let output = provision.home.appending(path: "emulate-\(UUID().uuidString).json")
        try Data().write(to: output)
        process = Process()
        process.executableURL = Executable.url
        process.arguments = ["emulate", "--json"] + arguments
        process.currentDirectoryURL = Executable.packageRoot
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PROVISION_HOME": provision.home.path]) { $1 }
        process.standardInput = FileHandle.nullDevice
        let file = try FileHandle(forWritingTo: output)
        defer { try? file.close() }
        process.standardOutput = file
        process.standardError = FileHandle.nullDevice
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
        let report = try Self.report(in: output, of: process)
        port = try #require(report["port"] as? String)
        probe = report["probe"] as? String
        emulatorProcessID = Int32(try #require(report["processID"] as? Int))
    }

    /// Ctrl-C. Nil: it did not end in time and was killed.
    func interrupt() -> Int32? {
        Foundation.kill(process.processIdentifier, SIGINT)
        guard ended.wait(timeout: .now() + 20) == .success else {
            Foundation.kill(process.processIdentifier, SIGKILL)
            return nil
        }
        return process.terminationStatus
    }

    /// Kill -9: it can keep nothing any more.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        ended.wait()
    }

    /// Kill -9 of the emulator alone, and the end of who has started it.
    func killEmulator() {
        Foundation.kill(emulatorProcessID, SIGKILL)
        ended.wait()
    }

    var isEmulatorGone: Bool { Foundation.kill(emulatorProcessID, 0) != 0 && errno == ESRCH }

    private static func report(in file: URL, of process: Process) throws -> [String: Any] {
        for _ in 0..<2400 {
            if let object = try? JSONSerialization.jsonObject(with: Data(contentsOf: file)) {
                return try #require(object as? [String: Any])
            }
            try #require(process.isRunning, "the emulator ended before it said where it is")
            usleep(50_000)
        }
        Foundation.kill(process.processIdentifier, SIGKILL)
        throw CocoaError(.fileReadUnknown)
    }
}
