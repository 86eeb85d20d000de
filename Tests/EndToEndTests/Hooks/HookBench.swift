import Foundation
import Testing

/// A project that `provision init` made of a template of `Templates/hooks`, and the build tools that use it.
struct HookBench {
    let provision: Executable
    let folder: URL

    /// Build tools of PyPI, which `Scripts/setup --test` installs.
    static let judges = Executable.packageRoot.appending(path: ".build/judges-hooks/bin")
    static let missing = "it is not installed: run Scripts/setup --test"

    /// This build's `provision` and the pinned tools come first.
    static var path: String {
        let system = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return [Executable.url.deletingLastPathComponent().path, judges.path, system]
            .joined(separator: ":")
    }

    static func has(_ tool: String) -> Bool {
        path.split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)")
        }
    }

    static func with(_ template: String, _ body: (HookBench) throws -> Void) throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "my firmware")
            let made = try provision("init", "hooks/\(template)", folder.path)
            try #require(made.status == 0, "\(made.standardError)")
            try body(HookBench(provision: provision, folder: folder))
        }
    }

    /// Runs a tool in the project's folder.
    func callAsFunction(
        _ words: String..., within seconds: Double = 600
    ) throws -> Executable.Result {
        try provision.run(
            URL(filePath: "/usr/bin/env"), Self.command + words, in: folder, within: seconds)
    }

    /// What `env` is told. A child of Foundation's inherits blocked signals, and CMake and Ninja would wait for
    /// SIGCHLD for ever.
    static var command: [String] { ["--default-signal"] + variables }

    /// No tool asks anybody but this machine.
    static var variables: [String] {
        ["PATH=\(path)", "PLATFORMIO_SETTING_ENABLE_TELEMETRY=no", "CARGO_NET_OFFLINE=true"]
    }

    func write(_ text: String, to name: String) throws {
        let file = folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// What the other builds make, for tools that have none.
    func copyFirmware(to name: String) throws {
        let file = folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: try Firmware.native(), toPath: file.path)
    }

    /// The tool is content, and the device that it flashed has a key and a certificate.
    func expectProvisioned(
        _ result: Executable.Result, keys: Int = 1, at location: SourceLocation = #_sourceLocation
    ) throws {
        let said = result.text + result.standardError
        #expect(result.status == 0, "\(said)", sourceLocation: location)
        #expect(
            said.contains("gives back what it holds") || keys > 1, "\(said)",
            sourceLocation: location)
        #expect(try provision.keys()["active"]?.count == keys, sourceLocation: location)
    }
}
