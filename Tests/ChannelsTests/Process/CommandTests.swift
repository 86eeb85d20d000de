import CHost
import Foundation
import Provisioning
import Testing

@testable import Channels

@Suite struct CommandTests {
    let interruption: Interruption

    init() throws { interruption = try Interruption() }

    private func run(_ command: Command, timeout: Duration = .seconds(20))
        throws(ProvisioningError) -> [CommandOutput]
    {
        var lines: [CommandOutput] = []
        let runner = CommandRunner(interruption: interruption) { lines.append($0) }
        try runner.run(command, timeout: timeout, failure: .buildFailed)
        return lines
    }

    private func shell(_ script: String, _ arguments: String...) -> Command {
        Command(["/bin/sh", "-c", script, "sh"] + arguments)
    }

    @Test func relaysLinesOfBothStreams() throws {
        let lines = try run(shell(#"printf 'a\r\nb\r50%%\rc'; echo oops >&2"#))
        let output = lines.filter { $0.stream == .standardOutput }.map(\.line)
        #expect(output == ["a", "b", "50%", "c"])
        #expect(lines.filter { $0.stream == .standardError }.map(\.line) == ["oops"])
    }

    @Test func showsLinesWhileTheCommandRuns() throws {
        let folder = try TemporaryFolder()
        let seen = folder.path + "/seen"
        let runner = CommandRunner(interruption: interruption) { _ in
            #expect(FileManager.default.createFile(atPath: seen, contents: nil))
        }
        // It ends only when its line was seen.
        let command = shell(#"echo early; until [ -e "$1" ]; do sleep 0.05; done"#, seen)
        try runner.run(command, timeout: .seconds(60), failure: .buildFailed)
    }

    @Test func passesArgumentsVerbatim() throws {
        let folder = try TemporaryFolder()
        let arguments = ["", "a b", "$HOME", "'", "\"", "*", "ü", "-n", "\\", ";ls"]
        let lines = try run(
            Command(
                ["/bin/sh", "-c", #"for a; do echo "<$a>"; done; pwd; echo "$ADDED$LANG""#, "sh"]
                    + arguments,
                directory: folder.path, environment: ["ADDED": "ä", "LANG": nil]))
        #expect(lines.map(\.line).dropLast(2) == arguments.map { "<\($0)>" }[...])
        #expect(lines[arguments.count].line.hasSuffix(folder.path.split(separator: "/").last!))
        #expect(lines.last?.line == "ä")
    }

    /// The system says "No such file" of a script that is there.
    @Test(arguments: [
        ("#!/bin/nope -x", #""/bin/nope": No such file"#, "install that"),
        ("#!/bin/sh\r", #""/bin/sh\r": No such file"#, "CR and LF"),
        ("#! /etc/passwd", #""/etc/passwd": Permission denied"#, "install that"),
    ])
    func aMissingInterpreterIsNamed(_ text: String, _ reason: String, _ hint: String) throws {
        let folder = try TemporaryFolder()
        let script = folder.path + "/script"
        // What this process writes, a child of another test may hold open.
        _ = try run(shell(#"echo "$2" >"$1" && chmod +x "$1""#, script, text))
        // Where it runs, a relative path leads to it, too.
        for command in [Command([script]), Command(["./script"], directory: folder.path)] {
            let error = #expect(throws: ProvisioningError.self) { try run(command) }
            #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
            #expect(error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
        }
        let missing = #expect(throws: ProvisioningError.self) { try run(Command([script + "x"])) }
        #expect(missing?.reason.contains("interpreter") == false)
    }

    @Test func childrenStartClean() throws {
        let held = open("/dev/null", O_RDONLY)  // Without O_CLOEXEC.
        defer { close(held) }
        let lines = try run(
            shell("ls /proc/self/fd; grep -E 'SigBlk|SigIgn' /proc/self/status; cat | wc -c")
        )
        .map(\.line)
        // ls itself has the folder open as 3.
        #expect(lines.prefix(4) == ["0", "1", "2", "3"])
        // Signal 32 is the C library's own and can't be reset.
        let masks = lines.filter { $0.hasPrefix("Sig") }.compactMap {
            UInt64($0.suffix(16), radix: 16)
        }
        #expect(masks.map { $0 & 0x7fff_ffff } == [0, 0])
        #expect(lines.last == "0")
    }

    @Test func aFailureHasStatusAndTail() throws {
        let error = expectError(.buildFailed) { () throws(ProvisioningError) in
            try run(shell("seq 1 30 >&2; exit 3"))
        }
        let reason = try #require(error?.reason)
        #expect(reason.contains("ended with status 3"))
        let tail = reason.split(separator: "\n").dropFirst()
        #expect(tail.count == 20 && tail.first == "  11" && tail.last == "  30")
        let crash = expectError(.buildFailed) { () throws(ProvisioningError) in
            try run(shell("kill -SEGV $$"))
        }
        #expect(crash?.reason.contains("signal 11") == true)
    }

    @Test func explainsWhatCannotBeRun() throws {
        let folder = try TemporaryFolder()
        let noProgram = try folder.file("no program")
        for (command, part) in [
            (Command(["no-such-program-7"]), "no-such-program-7"),
            (Command([noProgram]), "Permission denied"),
            (Command(["true"], directory: "/nowhere"), "/nowhere"),
            (Command([]), "no program"),
            (Command(["true", "a\0b"]), "NUL"),
        ] {
            let error = expectError(.buildFailed) { () throws(ProvisioningError) in
                try run(command)
            }
            #expect(error?.reason.contains(part) == true, "\(String(describing: error))")
        }
    }

    @Test func killsTheGroupWhenTimeIsUp() throws {
        var processes: [Int32] = []
        let runner = CommandRunner(interruption: interruption) { line in
            if let process = Int32(line.line) { processes.append(process) }
        }
        let command = shell("trap '' TERM; sleep 60 & echo $!; echo $$; wait; sleep 60")
        // A loaded machine may need more to start a shell.
        for milliseconds in [300, 3_000, 30_000] where processes.count < 2 {
            processes = []
            let error = expectError(.flashFailed) { () throws(ProvisioningError) in
                try runner.run(
                    command, timeout: .milliseconds(milliseconds), failure: .flashFailed)
            }
            let limit = milliseconds < 1000 ? "300 ms" : "\(milliseconds / 1000) s"
            #expect(error?.reason.contains(limit) == true, "\(String(describing: error))")
        }
        #expect(processes.count == 2)
        try expectGone(processes)
    }

    @Test func killsTheGroupOnInterruption() throws {
        let interruption = interruption
        var processes: [Int32] = []
        let runner = CommandRunner(interruption: interruption) { line in
            if let process = Int32(line.line) { processes.append(process) }
            if processes.count == 2 { interruption.interrupt() }
        }
        let start = ContinuousClock.now
        expectError(.interrupted) { () throws(ProvisioningError) in
            try runner.run(
                shell("sleep 60 & echo $!; echo $$; wait"), timeout: .seconds(30),
                failure: .flashFailed)
        }
        #expect(start.duration(to: .now) < .seconds(20))
        #expect(processes.count == 2)
        try expectGone(processes)
    }

    #if os(Linux)
        /// As build tools start compilers; and one that does not listen.
        @Test(arguments: ["", "trap '' TERM; "])
        func killsWhatHasASessionOfItsOwnOnInterruption(_ trap: String) throws {
            let interruption = interruption
            var processes: [Int32] = []
            let runner = CommandRunner(interruption: interruption) { line in
                if let process = Int32(line.line) { processes.append(process) }
                if processes.count == 2 { interruption.interrupt() }
            }
            let inner = "\(trap)echo $$; sleep 60; sleep 60"
            expectError(.interrupted) { () throws(ProvisioningError) in
                try runner.run(
                    shell("echo $$; setsid --wait /bin/sh -c \"$1\"; true", inner),
                    timeout: .seconds(30), failure: .buildFailed)
            }
            #expect(processes.count == 2)
            try expectGone(processes)
        }
    #endif

    @Test func leavesNothingBehindWhenItSucceeds() throws {
        let start = ContinuousClock.now
        let lines = try run(shell("sleep 60 & echo $!"))
        #expect(start.duration(to: .now) < .seconds(40))
        try expectGone(lines.compactMap { Int32($0.line) })
    }

    /// Its ID, and that of its group, may be somebody else's by then.
    @Test func whatAnotherReapedIsNotSignalled() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/other"
        let child = try ChildProcess(
            shell(#"sleep 600 & echo $! > "$1.part"; mv "$1.part" "$1"; exit 3"#, file),
            failure: .internalFailure)
        var status: Int32 = 0
        try #require(waitpid(child.processID, &status, 0) == child.processID)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let other = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        defer { kill(other, SIGKILL) }
        #expect(child.currentEnding == .unknown)
        #expect(child.currentEnding?.isSuccess == false)
        #expect(child.terminate() == .unknown)
        // A signal would have arrived by the end of this wait.
        var entry = pollfd(fd: chost_pidfd_open(other), events: Int16(POLLIN), revents: 0)
        defer { close(entry.fd) }
        try #require(entry.fd >= 0)
        #expect(poll(&entry, 1, 300) == 0, "the group that is left was signalled")
    }

    @Test func aChildEndsWithItsOwner() throws {
        var child: ChildProcess? = try ChildProcess(shell("sleep 60"), failure: .internalFailure)
        let process = try #require(child?.processID)
        #expect(exists(process))
        #expect(try child?.wait(within: .milliseconds(20), interruption: nil) == nil)
        child = nil
        try expectGone([process])
    }

    @Test func manyAtOnce() async throws {
        let interruption = interruption
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<20 {
                group.addTask {
                    let child = try ChildProcess(
                        Command(["/bin/sh", "-c", "exit \(index)"]), failure: .internalFailure)
                    let ending = try child.wait(within: .seconds(20), interruption: interruption)
                    return ending == .exited(Int32(index)) ? 1 : 0
                }
            }
            var count = 0
            for try await one in group { count += one }
            #expect(count == 20)
        }
    }

    /// The children of a killed child are reaped by whoever adopted them: soon, or, where nobody does,
    /// they stay as zombies.
    private func expectGone(_ processes: [Int32]) throws {
        try #require(!processes.isEmpty)
        let deadline = Deadline(within: .seconds(30))
        func alive() -> [Int32] {
            processes.filter { process in
                guard let status = try? FileBytes.read("/proc/\(process)/stat", limit: 4096) else {
                    return false
                }
                return !String(decoding: status, as: UTF8.self).contains(") Z ")
            }
        }
        while !alive().isEmpty && !deadline.isPast { usleep(10_000) }
        #expect(alive() == [])
    }
}
