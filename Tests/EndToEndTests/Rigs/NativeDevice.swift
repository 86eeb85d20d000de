import BadLine
import Foundation
import Testing

/// The native firmware as a process, at the far end of a line of the test's own.
final class NativeDevice {
    let line: BadLine
    private let process = Process()
    private let socket: Int32

    /// - Parameters:
    ///   - folder: where the device keeps its ID, its keys and its flash.
    ///   - environment: more variables of the firmware.
    init(
        _ image: String, arguments: [String] = [], in folder: URL,
        environment: [String: String] = [:],
        faults: LineFaults.Rates = LineFaults.Rates(), seed: UInt64 = 0, bitsPerSecond: Int? = nil,
        rate: UInt32? = nil, bufferLength: Int? = nil
    ) throws {
        var sockets: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &sockets) == 0)
        for descriptor in sockets { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        socket = sockets[0]
        let deviceEnd = FileHandle(fileDescriptor: sockets[1], closeOnDealloc: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process.executableURL = URL(filePath: image)
        process.arguments = arguments
        process.environment = environment.merging(["PROVISION_NATIVE_STATE": folder.path]) { $1 }
        process.standardInput = deviceEnd
        process.standardOutput = deviceEnd
        process.standardError = FileHandle.nullDevice
        line = try BadLine(
            to: sockets[0], faults: faults, seed: seed, bitsPerSecond: bitsPerSecond,
            rate: rate, bufferLength: bufferLength)
        try process.run()
        try deviceEnd.close()
    }

    /// Waits for the end that the device itself comes to, and gives the signal that it died of; 0: none.
    func endingSignal() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? process.terminationStatus : 0
    }

    /// Ends the process and the line. To be called once.
    func stop() {
        // It inherits the test's blocked signals; its flash is a file, and safe against this.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        line.stop()
        close(socket)
    }
}
