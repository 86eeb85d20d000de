import Foundation
import Testing

/// What flash tools print around a device's log, as the output of a tool of that name that the run starts with
/// the settings of a platform file, and ends.
@Suite struct PrintedLogTests {
    /// Each says whose form it is.
    private static let folder = Executable.packageRoot
        .appending(path: "Tests/AttestationTests/Logs")

    private static let names: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).sorted()
    }()

    /// As one writes it for the tool that prints the log of this name.
    private static func command(_ name: String) -> [String] {
        switch name {
        case "espflash-monitor": ["espflash", "flash", "--chip", "{chip}", "--monitor", "{image}"]
        case "probe-rs-timestamps-torn": ["cargo-embed", "--chip", "{chip}", "--path", "{image}"]
        default: ["probe-rs", "run", "--chip", "{chip}", "{image}"]
        }
    }

    /// A tool in `folder` that tells what it is called with, prints `log` and goes on until it is ended.
    private func install(_ command: [String], printing log: String, in folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let printed = folder.appending(path: "printed")
        try Data(log.utf8).write(to: printed)
        let script = """
            #!/bin/sh
            echo "$*" > '\(folder.path)/heard'
            [ -t 1 ] && echo a terminal > '\(folder.path)/kind' || echo a pipe > '\(folder.path)/kind'
            cat '\(printed.path)'
            exec tail -f /dev/null
            """
        let tool = folder.appending(path: command[0])
        try Data(script.utf8).write(to: tool)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: tool.path)
    }

    /// The report, as the board's own log has it.
    private func report(_ desk: OneWayDesk) throws -> String {
        let log = try desk.bootLog()
        let start = try #require(log.range(of: "PROVISION-EVIDENCE-1 "))
        return String(log[start.lowerBound...].prefix { $0 != "\r\n" && !$0.isNewline })
    }

    @Test(arguments: names, [false, true])
    func isRegistered(_ name: String, terminal: Bool) throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
            let start = try #require(text.range(of: "\n\n"))
            let line = try report(desk)
            let half = line.index(line.startIndex, offsetBy: line.count / 2)
            let log = String(text[start.upperBound...]).replacing("{report}", with: line)
                .replacing("{report-begins}", with: line[..<half])
                .replacing("{report-ends}", with: line[half...])
            let tools = desk.provision.home.appending(path: "tools")
            let command = Self.command(name)
            try install(command, printing: log, in: tools)
            let platform = try desk.platform(
                "printed",
                """
                chip = "a-chip"
                [flash]
                method = "command"
                command = \(command)
                monitor = true
                monitor-terminal = \(terminal)
                [report]
                from = "flasher"
                formats = ["provision"]
                """)
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            let result = try desk.provision.run(
                URL(filePath: "/usr/bin/env"),
                ["PATH=\(tools.path):\(path)", Executable.url.path, "run", "--firmware", image]
                    + platform + ["--detach", "--json"])
            try #require(result.status == 0, "\(result.standardError)")
            let report = try result.json()
            #expect(report["isPossessionProven"] as? Bool == true)
            #expect(report["isNewKey"] as? Bool == true)
            let id = try Data(contentsOf: desk.provision.home.appending(path: "device/device-id"))
            #expect(report["device"] as? String == id.map { String(format: "%02x", $0) }.joined())
            let wanted = command.dropFirst().joined(separator: " ")
                .replacing("{chip}", with: "a-chip").replacing("{image}", with: image)
            #expect(
                try String(contentsOf: tools.appending(path: "heard"), encoding: .utf8)
                    == wanted + "\n")
            #expect(
                try String(contentsOf: tools.appending(path: "kind"), encoding: .utf8)
                    == (terminal ? "a terminal\n" : "a pipe\n"))
            #expect(try desk.provision.keys()["active"]?.count == 1)
        }
    }

    @Test func thereAreSome() { #expect(Self.names.count >= 5) }
}
