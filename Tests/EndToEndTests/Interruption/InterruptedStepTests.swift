import Foundation
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

    private func platform(build: String?, flash: String, in folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let build = build.map { "[build]\ncommand = \($0)\nimage = \"/bin/true\"\n" } ?? ""
        let text = """
            name = "slow"
            description = "a board that takes its time"
            board = "native"

            \(build)
            [flash]
            method = "command"
            command = \(flash)

            [channel]
            kind = "uart"
            """
        try Data(text.utf8).write(to: folder.appending(path: "slow.toml"))
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP], ["build", "flash"])
    func aCommandIsEndedWithAllThatItStarted(signal: Int32, step: String) throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "platforms")
            let mark = provision.home.appending(path: "mark").path
            let slow = Self.slowCommand(mark)
            let none = #"["/bin/true", "{image}"]"#
            let isBuild = step == "build"
            // A flash command has to name the image.
            let flash = isBuild ? none : slow.dropLast(1) + #", "{image}"]"#
            try platform(build: isBuild ? slow : nil, flash: String(flash), in: folder)
            let leftovers = Leftovers(of: provision)
            let run = try BackgroundRun(
                provision,
                ["run", "--platform", "slow", "--platforms", folder.path, "--port", "/dev/null"]
                    + (isBuild ? [] : ["--firmware", "/bin/true"]))
            try #require(run.waits(for: mark), "\(run.errorOutput)")
            #expect(run.interrupt(with: signal) == 130)
            #expect(run.errorOutput.contains("error[interrupted]"), "\(run.errorOutput)")
            #expect(leftovers.processes() == [])
            #expect(try provision("registry", "verify").status == 0)
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
            #expect(run.says("no answer in time"), "\(run.errorOutput)")
            #expect(line.settings != before, "the port was not opened")
            #expect(run.interrupt(with: signal) == 130)
            #expect(line.settings == before)
            answers.store(true, ordering: .sequentiallyConsistent)
            let next = try provision.run(Executable.url, desk.arguments(line.port))
            #expect(next.status == 0, "\(next.standardError)")
            #expect(try desk.keyStates() == ["active"])
        }
    }

    /// An export is there as a whole, or not at all.
    @Test func anUnfinishedFileIsRemoved() throws {
        try Executable.withHome { provision in
            #expect(try provision("registry", "verify").status == 0)
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
