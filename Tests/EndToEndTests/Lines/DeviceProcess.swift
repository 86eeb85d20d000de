import Foundation
import Testing

/// The device library as a process, `Tests/DeviceProcess`: made by the C compiler that Swift brings, once
/// for each version of SMP in a test run.
enum DeviceProcess {
    static func program(version: Int = 2) throws -> String {
        let result = version == 1 ? version1 : version2
        return try result.get()
    }

    private static let version1 = Result { try build(1) }
    private static let version2 = Result { try build(2) }

    private static func build(_ version: Int) throws -> String {
        let root = Executable.packageRoot
        let program = FileManager.default.temporaryDirectory.appending(
            path: "provision-device-\(getpid())-\(version)")
        let folder = root.appending(path: "Sources/DeviceProvisioning")
        let sources = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".c") }.sorted().map { "Sources/DeviceProvisioning/\($0)" }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.currentDirectoryURL = root
        process.arguments =
            [
                "clang", "-std=c11", "-O1", "-Wall", "-Werror", "-DDP_PSA_ITS",
                "-DDP_SMP_VERSION=\(version)", "-ISources/DeviceProvisioning",
                "-ISources/DeviceProvisioning/include", "-ISources/DeviceProvisioning/its",
                "-ITests/DeviceTestHAL/include",
            ] + sources + [
                "Tests/DeviceTestHAL/board.c", "Tests/DeviceProcess/main.c", "-lmbedcrypto", "-o",
                program.path,
            ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "Tests/DeviceProcess does not compile")
        atexit { DeviceProcess.remove() }
        return program.path
    }

    private static func remove() {
        for version in [1, 2] {
            unlink("\(NSTemporaryDirectory())provision-device-\(getpid())-\(version)")
        }
    }
}

/// A device that listens for datagrams on an address of this computer.
final class NetworkDevice {
    let port: UInt16
    private let process = Process()

    init(on address: String = "127.0.0.1", version: Int = 2, port: UInt16 = 0) throws {
        process.executableURL = URL(filePath: try DeviceProcess.program(version: version))
        process.arguments = ["udp", address, String(port)]
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = output.fileHandleForReading.availableData
        let digits = String(decoding: line, as: UTF8.self).split(separator: "\n").first
        self.port = try #require(digits.flatMap { UInt16($0) }, "no port on \(address)")
    }

    /// To be called once.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
