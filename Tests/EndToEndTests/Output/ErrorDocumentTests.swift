import Foundation
import Testing

/// A program that asked for `--json` gets one document, however a command ends.
@Suite struct ErrorDocumentTests {
    /// Each command that takes `--json`, with arguments that it can understand and not follow.
    private static let failing: [[String]] = [
        ["run", "--platform", "nosuch"], ["flash", "--platform", "nosuch"],
        ["enroll", "--platform", "nosuch"], ["boards", "--platform", "nosuch"],
        ["devices", "list", "--package-path", "x"], ["keys", "--device", "nosuch"],
        ["revoke", "--key", "00000000"], ["registry", "verify", "--head", "x:y"],
        ["authority", "show", "nosuch"], ["authority", "create", "--replace", "--name"],
        ["platforms", "list", "nosuch"], ["platforms", "show", "nosuch"],
        ["platforms", "match", "--platforms", "/nonexistent"],
        ["platforms", "validate", "--platforms", "/nonexistent", "x.toml"],
        ["check", "nosuch"], ["emulate", "nosuch"], ["init", "nosuch"], ["doctor", "nosuch"],
    ]

    @Test func theTableHasEveryCommand() throws {
        try Executable.withHome { provision in
            let commands = try provision.commandsWithDocuments()
            #expect(commands.count > 15 && commands.contains(["authority", "create"]))
            for command in commands {
                #expect(Self.failing.contains { $0.starts(with: command) }, "\(command)")
            }
        }
    }

    @Test(arguments: Executable.sample(failing))
    func anErrorIsTheDocument(_ command: [String]) throws {
        try Executable.withHome { provision in
            let result = try provision.run(Executable.url, command + ["--json"])
            try result.expectErrorDocument()
            let plain = try provision.run(Executable.url, command)
            #expect(plain.standardOutput.isEmpty, "\(plain.text)")
            #expect(plain.status == result.status)
            #expect(plain.standardError == result.standardError)
        }
    }

    /// Found before the arguments are understood.
    @Test func wrongUsageIsTheDocumentToo() throws {
        try Executable.withHome { provision in
            for command in try provision.commandsWithDocuments() {
                let result = try provision.run(
                    Executable.url, command + ["--json", "--no-such-option"])
                try result.expectErrorDocument()
                #expect(result.status == 2 && result.errorCode == "usage", "\(command)")
                #expect(result.standardError.contains("Usage: provision"), "\(command)")
            }
            for command in [
                ["--json", "--jobs", "x"], ["run", "--json", "--jobs", "x"], ["nosuch", "--json"],
                ["keys", "--device", "a", "--device", "b", "--json"], ["export", "--json"],
            ] {
                try provision.run(Executable.url, command).expectErrorDocument()
            }
            // What is behind it is another program's, and help is no error.
            let given = try provision(
                "run", "--platform", "nosuch", "--", "tool", "--json")
            #expect(given.status == 2 && given.standardOutput.isEmpty)
            let help = try provision("keys", "--json", "--help")
            #expect(help.status == 0 && help.text.hasPrefix("OVERVIEW"))
            #expect(try provision("--version", "--json").text == provision("--version").text)
        }
    }

    /// A result that is bad is the document, and its error stands on standard error only.
    @Test func nothingFollowsAResult() throws {
        try Executable.withHome { provision in
            let bad = provision.home.path + "/bad.toml"
            try Data("name = 1".utf8).write(to: URL(filePath: bad))
            let result = try provision("platforms", "validate", bad, "--json")
            #expect(result.status != 0 && result.errorCode != nil)
            #expect(try result.json()["files"] is [Any])
            let checked = try provision("check", bad, "--json")
            #expect(checked.status != 0)
            _ = try checked.json()
        }
    }

    /// Of a pipeline, who reads the document may have died of the same key press.
    @Test func anInterruptionOutlivesTheReader() throws {
        try Executable.withHome { provision in
            let adapter = try SleepingAdapter(in: provision.home)
            let document = Pipe()
            try document.fileHandleForReading.close()
            let run = try BackgroundRun(
                provision, ["platforms", "show", "mine", "--json"], in: adapter.surrounding,
                output: document.fileHandleForWriting)
            try document.fileHandleForWriting.close()
            try #require(run.waits(for: adapter.mark), "\(run.errorOutput)")
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
            #expect(run.errorOutput.contains("provision: error[interrupted]: interrupted\n"))
        }
    }

    /// Whoever read it may be gone: the status and the text tell it, too.
    @Test func theStatusOutlivesTheReader() throws {
        try Executable.withHome { provision in
            let result = try provision.run(
                URL(filePath: "/bin/bash"),
                [
                    "-c", "\"$0\" revoke --device nosuch --json | :; exit ${PIPESTATUS[0]}",
                    Executable.url.path,
                ])
            result.expectError("not-found", status: 8)
        }
    }

    /// Some end by the signal's handler alone, some undo what they have begun.
    @Test(arguments: [
        ["platforms", "show", "mine"], ["boards", "--platform", "mine"],
        ["enroll", "--platform", "mine"], ["emulate", "mine"], ["check", "mine"],
    ])
    func anInterruptionIsTheDocument(_ command: [String]) throws {
        try Executable.withHome { provision in
            let adapter = try SleepingAdapter(in: provision.home)
            let run = try BackgroundRun(provision, command + ["--json"], in: adapter.surrounding)
            try #require(run.waits(for: adapter.mark), "\(run.errorOutput)")
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
            let error = try #require(try run.json()["error"] as? [String: String])
            #expect(error["code"] == "interrupted")
            #expect(error["hint"]?.isEmpty == false)
            #expect(run.errorOutput.contains("provision: error[interrupted]: interrupted\n"))
            #expect(run.errorOutput.contains("\nprovision: hint: run the same command again"))
        }
    }
}

/// The platform `mine`, an adapter that never answers.
private struct SleepingAdapter {
    /// Finds it.
    let surrounding: Surrounding
    /// There once it runs.
    let mark: String

    init(in folder: URL) throws {
        let adapter = folder.appending(path: "provision-platform-mine")
        mark = folder.path + "/mark"
        try Data("#!/bin/sh\n: >'\(mark)'\nexec sleep 600\n".utf8).write(to: adapter)
        try #require(chmod(adapter.path, 0o755) == 0)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        surrounding = .environment(["PATH": folder.path + ":" + path])
    }
}

extension Executable {
    /// The names that lead to each command that has `--json`.
    fileprivate func commandsWithDocuments() throws -> [[String]] {
        let description = try self("--experimental-dump-help").json()
        let root = try #require(description["command"] as? [String: Any])
        return commands(below: root, [])
    }

    private func commands(below command: [String: Any], _ path: [String]) -> [[String]] {
        let arguments = command["arguments"] as? [[String: Any]] ?? []
        let names = arguments.flatMap { $0["names"] as? [[String: Any]] ?? [] }
        let hasDocument = names.contains { $0["name"] as? String == "json" }
        let subcommands = command["subcommands"] as? [[String: Any]] ?? []
        return (hasDocument && !path.isEmpty ? [path] : [])
            + subcommands.flatMap { subcommand in
                commands(below: subcommand, path + [subcommand["commandName"] as? String ?? ""])
            }
    }
}

extension Executable.Result {
    /// One document, which says what standard error says.
    func expectErrorDocument(at location: SourceLocation = #_sourceLocation) throws {
        let document = try #require(
            try? json(), "\(text)\(standardError)", sourceLocation: location)
        let error = try #require(document["error"] as? [String: String], sourceLocation: location)
        #expect(document.count == 1, sourceLocation: location)
        #expect(error["code"] == errorCode, "\(standardError)", sourceLocation: location)
        #expect(error["reason"]?.isEmpty == false, sourceLocation: location)
        #expect(error["hint"]?.isEmpty == false, "\(standardError)", sourceLocation: location)
        #expect(status != 0, sourceLocation: location)
    }
}
