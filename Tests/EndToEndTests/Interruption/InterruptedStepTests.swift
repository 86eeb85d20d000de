import Foundation
import GRDB
import Synchronization
import Testing

/// Each step that takes long, ended by each signal that asks for it.
@Suite struct InterruptedStepTests {
    /// A command that says that it runs, and starts something that takes long in a session of its own, as
    /// build tools start compilers.
    private static func slowCommand(_ mark: String) -> String {
        """
        ["/bin/sh", "-c", "touch \\"$0\\"; setsid --wait sleep 300; sleep 300", "\(mark)"]
        """
    }

    /// - Returns: arguments that name it.
    private func platform(
        build: String?, flash: String, _ provision: Executable
    ) throws -> [String] {
        let build = build.map { "[build]\ncommand = \($0)\nimage = \"/bin/true\"\n" } ?? ""
        return try provision.platform(
            "slow",
            """
            \(build)
            [flash]
            method = "command"
            command = \(flash)

            [channel]
            kind = "uart"
            """)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP], ["build", "flash"])
    func aCommandIsEndedWithAllThatItStarted(signal: Int32, step: String) throws {
        try Executable.withHome { provision in
            let mark = provision.home.appending(path: "mark").path
            let slow = Self.slowCommand(mark)
            let none = #"["/bin/true", "{image}"]"#
            let isBuild = step == "build"
            // A flash command has to name the image.
            let flash = isBuild ? none : slow.dropLast(1) + #", "{image}"]"#
            let platform = try platform(
                build: isBuild ? slow : nil, flash: String(flash), provision)
            let line = try HostileLine { line in while line.receive() != nil {} }
            defer { line.close() }
            let leftovers = Leftovers(of: provision)
            let run = try BackgroundRun(
                provision,
                ["run", "--port", line.port] + platform
                    + (isBuild ? [] : ["--firmware", "/bin/true"]))
            try #require(run.waits(for: mark), "\(run.errorOutput)")
            #expect(run.interrupt(with: signal) == 130)
            #expect(run.errorOutput.contains("error[interrupted]"), "\(run.errorOutput)")
            #expect(leftovers.processes() == [])
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// Its compilers have process groups of their own.
    @Test func aRealBuildIsEndedWithItsCompilers() throws {
        _ = try Firmware.native()
        try Executable.withHome { provision in
            let scratch = provision.home.appending(path: "scratch").path
            let build = """
                ["swift", "build", "-c", "release", "--scratch-path", "\(scratch)", "--product",
                 "Firmware"]
                """
            let platform = try platform(
                build: build, flash: #"["/bin/true", "{image}"]"#, provision)
            let leftovers = Leftovers(of: provision)
            let run = try BackgroundRun(
                provision,
                ["run", "--port", "/dev/null", "--package-path", Firmware.package.path, "-v"]
                    + platform)
            #expect(leftovers.include("clang", within: 300), "\(run.errorOutput)")
            #expect(run.interrupt() == 130)
            #expect(leftovers.processes() == [], "\(run.errorOutput)")
        }
    }

    /// The next run has the port at once, as it was.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func thePortIsReleased(signal: Int32) throws {
        try Executable.withHome { provision in
            let desk = try HostileDesk(provision, isPatient: true)
            let victim = try Victim()
            let answers = Atomic(false)
            let line = try HostileLine { line in
                while line.receive(within: 20) != nil {
                    if answers.load(ordering: .sequentiallyConsistent) {
                        return try victim.behave(line)
                    }
                }
            }
            defer { line.close() }
            let before = line.settings
            let run = try BackgroundRun(provision, desk.arguments(line.port) + ["-v"])
            #expect(run.says("no answer in"), "\(run.errorOutput)")
            #expect(line.settings != before, "the port was not opened")
            #expect(run.interrupt(with: signal) == 130)
            #expect(line.settings == before)
            answers.store(true, ordering: .sequentiallyConsistent)
            let next = try provision.run(Executable.url, desk.arguments(line.port))
            #expect(next.status == 0, "\(next.standardError)")
            #expect(try desk.keyStates() == ["active"])
        }
    }

    /// Another process has a transaction open, for as long as it likes.
    @Test func aRegistryThatIsBusyIsNotWaitedFor() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let desk = try HostileDesk(provision)
            let victim = try Victim()
            let line = try HostileLine { try victim.behave($0) }
            defer { line.close() }
            let before = try desk.record()
            let other = try DatabaseQueue(path: provision.home.path + "/registry.sqlite")
            try other.writeWithoutTransaction { database in
                // A log that is empty would be waited for earlier, when the registry is opened.
                let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
                try database.execute(sql: "PRAGMA user_version = \(version)")
                try database.execute(sql: "BEGIN IMMEDIATE")
                let run = try BackgroundRun(provision, desk.arguments(line.port))
                try #require(run.says("appraise"), "\(run.errorOutput)")
                #expect(run.interrupt() == 130)
                #expect(run.errorOutput.contains("another process"), "\(run.errorOutput)")
                try database.execute(sql: "ROLLBACK")
            }
            #expect(try desk.record() == before)
        }
    }

    /// A terminal's Ctrl-C is for all programs of a pipeline: the one that prints the log may have ended of it when
    /// the run has not heard of it yet. On a computer that is busy, the signal may come too late for that.
    @Test func aLogThatEndsWithASignalIsAnInterruption() throws {
        try Executable.withHome { provision in
            try #require(try provision("authority", "create").status == 0)
            var statuses: [Int32?] = []
            while statuses.count < 20, !statuses.contains(130) {
                let log = Pipe()
                let run = try BackgroundRun(
                    provision, ["enroll", "--platform", "native", "--log", "-"],
                    input: log.fileHandleForReading)
                try log.fileHandleForWriting.write(contentsOf: Data("boot\n".utf8))
                var rest: CInt = 1
                for _ in 0..<6000 where rest > 0 {
                    usleep(10_000)
                    _ = ioctl(log.fileHandleForReading.fileDescriptor, UInt(FIONREAD), &rest)
                }
                try #require(rest == 0, "it reads nothing: \(run.errorOutput)")
                log.close()
                usleep(80_000)
                statuses.append(run.interrupt())
            }
            #expect(statuses.last == 130, "\(statuses)")
        }
    }

    /// Also what is neither a run nor waits for a device: here, for somebody who reads its output.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func anyCommandIsInterrupted(signal: Int32) throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            // There while somebody has the registry open.
            let sign = provision.home.path + "/registry.sqlite-shm"
            try #require(!FileManager.default.fileExists(atPath: sign))
            let pipe = provision.home.appending(path: "pipe").path
            try #require(mkfifo(pipe, 0o600) == 0)
            let run = try BackgroundRun(provision, ["export", "--format", "csv", "--output", pipe])
            try #require(run.waits(for: sign))
            #expect(run.interrupt(with: signal) == 130)
            // Nobody who dies of a signal says that. What it waited for may have been said before.
            let said = run.errorOutput.split(separator: "\n").filter { !$0.contains("waiting for") }
            try #require(said.count == 2, "\(run.errorOutput)")
            #expect(said[0] == "provision: error[interrupted]: interrupted")
            #expect(said[1].hasPrefix("provision: hint: "))
        }
    }

    /// An export is there as a whole, or not at all.
    @Test func anUnfinishedFileIsRemoved() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let names = { try FileManager.default.contentsOfDirectory(atPath: provision.home.path) }
            let known = Set(try names())
            // Whatever a run comes to in so many milliseconds.
            for milliseconds in stride(from: UInt32(0), to: 200, by: 20) {
                let run = try BackgroundRun(
                    provision,
                    ["export", "--format", "crl", "--output", provision.home.path + "/crl.pem"])
                usleep(milliseconds * 1000)
                #expect([0, 130].contains(run.interrupt()))
                let left = Set(try names()).subtracting(known)
                #expect(!left.contains { $0.hasSuffix(".partial") }, "\(left)")
            }
        }
    }
}
