import Foundation
import Testing

/// A virtual machine with Debian's kernel, this machine's files, and both sides of USB. It boots once for all tests,
/// runs `Tests/USBGuest/checks`, and says what came of each.
enum USBGuest {
    static let folder = Executable.packageRoot.appending(path: "Tests/USBGuest")

    /// Where there is no QEMU for x86, there is no guest. What else is missing is a failure.
    static let canRun = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/qemu-system-x86_64")
        }

    /// A machine that is busy may take many times what an idle one needs.
    private static let limit = 1800.0

    /// What the guest printed; in `failure` why it did not come to its end.
    private static let output: (text: String, failure: String?) = {
        do {
            return try run()
        } catch {
            return ("", "\(error)")
        }
    }()

    /// The check of that name was made, and went well.
    static func expect(_ check: String, at location: SourceLocation = #_sourceLocation) throws {
        try #require(
            output.failure == nil, "\(output.failure ?? "")\n\(output.text)",
            sourceLocation: location)
        let lines = output.text.split(whereSeparator: \.isNewline)
        let end = lines.firstIndex { $0 == "CHECK \(check) ok" || $0 == "CHECK \(check) failed" }
        let index = try #require(end, "not made: \(check)", sourceLocation: location)
        let start = lines[..<index].lastIndex { $0.hasPrefix("BEGIN \(check) ") } ?? 0
        #expect(
            lines[index].hasSuffix(" ok"), "\(lines[start...index].joined(separator: "\n"))",
            sourceLocation: location)
    }

    private static func run() throws -> (String, String?) {
        let kernel = Executable.packageRoot.appending(path: ".build/usb-guest/stamp").path
        guard FileManager.default.fileExists(atPath: kernel) else {
            return ("", "the guest has nothing to boot: Scripts/setup --test makes it")
        }
        return try Executable.withHome { executable in
            let products = try USBDevicePrograms.folder()
            // The guest sees the same paths.
            let script = executable.home.appending(path: "script")
            try Data(
                """
                export GUEST_PRODUCTS='\(products)' GUEST_TOOL='\(Executable.url.path)'
                exec '\(folder.path)/checks'

                """.utf8
            ).write(to: script)
            let result = try executable.run(
                folder.appending(path: "boot"), [script.path], within: limit)
            // A serial console ends lines its own way, which to Swift are single characters.
            let text = String(decoding: result.standardOutput.filter { $0 != 0x0D }, as: UTF8.self)
            let isDone = text.contains("\nCHECKS done\n")
            return (text, isDone ? nil : "the guest ended early: \(result.standardError)")
        }
    }
}

/// The device library as USB devices: `Tests/USBGuest/build` and `Tests/USBMock/build`, once for a test run.
enum USBDevicePrograms {
    static func folder() throws -> String {
        try #require(failure == nil, "\(failure ?? "")")
        return path
    }

    private static let path = Executable.packageRoot
        .appending(path: ".build/usb-devices").path

    static let hasUMockdev = ["/usr/bin/umockdev-wrapper", "/usr/include/umockdev-1.0"]
        .allSatisfy { FileManager.default.fileExists(atPath: $0) }

    private static let failure: String? = {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            for script in ["USBGuest"] + (hasUMockdev ? ["USBMock"] : []) {
                let result = try Executable.withHome {
                    try $0.run(
                        Executable.packageRoot.appending(path: "Tests/\(script)/build"), [path])
                }
                guard result.status == 0 else { return result.text + result.standardError }
            }
            return nil
        } catch {
            return "\(error)"
        }
    }()
}
