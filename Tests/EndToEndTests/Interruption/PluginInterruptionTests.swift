import BadLine
import Foundation
import ProvisioningTesting
import SMP
import Testing

extension SwiftPackage {
    /// Ctrl-C and other ends of `swift package provision`, in a terminal.
    @Suite struct PluginInterruptionTests {
        private static let firmwareRun = ["package", "provision", "--platform", "native"]

        /// Builds the plugin and its tool, unless they are built: Scripts/test has run the demo before.
        private static let preparation: Int32? = try? Executable.withHome { provision in
            try provision.run(
                URL(filePath: "/usr/bin/env"), ["swift", "package", "provision", "--version"],
                in: Firmware.package, within: 900
            ).status
        }

        private func start(
            _ provision: Executable, _ more: String...
        ) throws -> TerminalRun {
            let image = try Firmware.native()
            try #require(Self.preparation == 0, "the plugin does not build")
            return try TerminalRun(
                provision, "swift", Self.firmwareRun + ["--firmware", image] + more,
                in: Firmware.package)
        }

        private func expectNothingLeft(_ leftovers: Leftovers, _ provision: Executable) throws {
            #expect(leftovers.processes() == [])
            #expect(try provision.isRecordSound())
        }

        /// Keys and signals alike leave the console; the terminal is the shell's again.
        @Test(arguments: ["key", "swift package", "provision"])
        func leavingTheConsoleEndsWell(by way: String) throws {
            try Executable.withHome { provision in
                let leftovers = Leftovers(of: provision)
                let run = try start(provision)
                defer { run.close() }
                try #require(run.shows("attached to"), "\(run.output)")
                #expect(run.takesTerminal)
                switch way {
                case "key": run.pressControlC()
                case "swift package":
                    kill(try #require(run.process(named: "swift-package")), SIGINT)
                default: kill(try #require(run.process(named: "provision")), SIGINT)
                }
                // SwiftPM passes its own SIGINT on, and ends by it unless the tool ends before.
                let status = try #require(run.status(), "\(run.output)")
                #expect(status == 0 || (way == "swift package" && status == 130), "\(run.output)")
                #expect(run.isTerminalRestored)
                try expectNothingLeft(leftovers, provision)
            }
        }

        /// From before the plugin runs until behind the last step. What SwiftPM misses while it starts does not
        /// end the run.
        @Test func atAnyMoment() throws {
            var generator = SeededGenerator(seed: 3)
            try Executable.withHome { provision in
                let leftovers = Leftovers(of: provision)
                for index in 0..<4 {
                    let run = try start(provision, "--detach")
                    defer { run.close() }
                    // Half of them while SwiftPM is still at it, half while the tool is.
                    if index % 2 == 0 {
                        usleep(UInt32.random(in: 0..<1_500_000, using: &generator))
                    } else {
                        try #require(run.shows("flash"), "\(run.output)")
                        usleep(UInt32.random(in: 0..<50_000, using: &generator))
                    }
                    run.pressControlC()
                    let status = try #require(run.status(), "\(run.output)")
                    #expect([0, 130].contains(status), "\(status): \(run.output)")
                    #expect(run.isTerminalRestored, "\(run.output)")
                    try expectNothingLeft(leftovers, provision)
                }
                let next = try start(provision, "--detach")
                defer { next.close() }
                #expect(next.status() == 0, "\(next.output)")
            }
        }

        /// While something is waited for, which takes as long as the test likes.
        @Test(arguments: ["key", "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
        func aRunThatWaitsEnds(by way: String) throws {
            try Executable.withHome { provision in
                let desk = try HostileDesk(provision, isPatient: true)
                let line = try HostileLine { line in while line.receive() != nil {} }
                defer { line.close() }
                let before = line.settings
                _ = try Firmware.native()
                try #require(Self.preparation == 0, "the plugin does not build")
                let leftovers = Leftovers(of: provision)
                let run = try TerminalRun(
                    provision, "swift",
                    ["package", "provision"] + desk.arguments(line.port) + ["-v"],
                    in: Firmware.package)
                defer { run.close() }
                try #require(run.shows("no answer in"), "\(run.output)")
                #expect(line.settings != before, "the port was not opened")
                let host = try #require(run.process(named: "swift-package"))
                switch way {
                case "key": run.pressControlC()
                case "SIGINT": kill(host, SIGINT)
                case "SIGTERM": kill(host, SIGTERM)
                case "SIGHUP": kill(host, SIGHUP)
                default: kill(host, SIGKILL)
                }
                let status = try #require(run.status(), "\(run.output)")
                // SwiftPM dies of it, too.
                let statuses: [String: Int32] = [
                    "key": 130, "SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGKILL": 137,
                ]
                #expect(status == statuses[way], "\(run.output)")
                #expect(run.shows("error[interrupted]", within: 60), "\(run.output)")
                #expect(leftovers.processes() == [])
                #expect(line.settings == before)
                #expect(run.isTerminalRestored, "\(run.output)")
                #expect(try desk.keyStates() == [])
            }
        }

        /// The device has a key that is registered, and no certificate yet.
        @Test func anInstallationEnds() throws {
            try Executable.withHome { provision in
                let desk = try HostileDesk(provision, isPatient: true)
                let victim = try Victim()
                let line = try HostileLine { line in
                    let device = try victim.device()
                    device.reaction = { request in
                        request.isWrite(DeviceContract.Command.credential) ? .miss : .obey
                    }
                    try line.obey(device)
                }
                defer { line.close() }
                let before = line.settings
                _ = try Firmware.native()
                try #require(Self.preparation == 0, "the plugin does not build")
                let leftovers = Leftovers(of: provision)
                let run = try TerminalRun(
                    provision, "swift", ["package", "provision"] + desk.arguments(line.port),
                    in: Firmware.package)
                defer { run.close() }
                try #require(run.shows("issue"), "\(run.output)")
                #expect(line.settings != before)
                run.pressControlC()
                #expect(run.status() == 130, "\(run.output)")
                #expect(run.output.contains("error[interrupted]"), "\(run.output)")
                #expect(line.settings == before)
                #expect(run.isTerminalRestored, "\(run.output)")
                try expectNothingLeft(leftovers, provision)
            }
        }
    }
}
