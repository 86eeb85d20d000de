import Foundation
import Testing

/// `provision` with a USB device that umockdev has it see: `Tests/USBMock`. Its octets are those of a serial port, or of
/// firmware that is a process of its own.
struct USBMock {
    private let executable: Executable
    /// What the mock is told, as `env` takes it.
    private let environment: [String]
    private let peak: URL

    /// What `provision --port` gets.
    static let port = "usb:SN002"
    static let isInstalled = USBDevicePrograms.hasUMockdev

    init(line: String, for executable: Executable) throws {
        try self.init(["MOCK_LINE=\(line)"], for: executable)
    }

    /// - Parameter state: where the firmware keeps its ID, its keys and its flash.
    init(
        firmware: String, state: URL, environment: [String] = [], for executable: Executable
    ) throws {
        try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
        try self.init(
            ["MOCK_DEVICE=\(firmware)", "PROVISION_NATIVE_STATE=\(state.path)"] + environment,
            for: executable)
    }

    private init(_ environment: [String], for executable: Executable) throws {
        self.executable = executable
        peak = executable.home.appending(path: "peak-\(UUID().uuidString)")
        self.environment = environment + ["MOCK_PEAK=\(peak.path)", "SWIFT_BACKTRACE=enable=no"]
    }

    /// `env` and what it gets, up to and without the arguments of `provision`.
    func command() throws -> [String] {
        let devices = Executable.packageRoot.appending(path: "Tests/USBMock/one.umockdev").path
        return environment + [
            "umockdev-wrapper", "\(try USBDevicePrograms.folder())/usb-mock", devices,
            Executable.url.path,
        ]
    }

    /// Runs `provision`; the peak memory is its own.
    func run(_ arguments: [String], within seconds: Double = 600) throws -> Executable.Result {
        let result = try executable.run(
            URL(filePath: "/usr/bin/env"), command() + arguments, within: seconds)
        let text = try String(contentsOf: peak, encoding: .utf8)
        try FileManager.default.removeItem(at: peak)
        let memory = try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        return Executable.Result(
            status: result.status, standardOutput: result.standardOutput,
            standardError: result.standardError,
            peakMemory: memory, seconds: result.seconds)
    }
}
