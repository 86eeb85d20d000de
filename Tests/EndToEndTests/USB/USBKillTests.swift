import Foundation
import Testing

/// Kill -9 of the run, or of the device, over USB: the next run goes on.
@Suite(
    .enabled(
        if: USBMock.isInstalled, "umockdev is not installed: Scripts/setup --test installs it"))
struct USBKillTests {
    /// The firmware is there already.
    private static let steps = KillTests.steps.filter { !["flash", "identify"].contains($0) }

    enum Victim: String, CaseIterable {
        case run, device
    }

    @Test(arguments: Victim.allCases) func afterEachStep(victim: Victim) throws {
        let firmware = try Firmware.native()
        try Executable.withHome { provision in
            for step in Self.steps {
                let desk = Desk(provision, firmware, board: step)
                let run = try desk.start()
                #expect(run.says(step), "\(run.errorOutput)")
                let name = victim == .run ? Executable.url : URL(filePath: firmware)
                let children = try LiveProcesses.children(of: run.processID)
                let killed = children.filter {
                    LiveProcesses.program(of: $0) == name.resolvingSymlinksInPath().path
                }
                // The one that is done may be gone.
                #expect(killed.count == 1 || step == "confirm", "\(step): \(children)")
                for process in killed { kill(process, SIGKILL) }
                let status = try #require(run.end(), "after \(step), the run hangs")
                if victim == .device, status != 0 {
                    #expect(status == 5, "after \(step): \(run.errorOutput)")
                    #expect(run.errorOutput.contains("error[channel-closed]"))
                }
                try desk.expectNextRun("\(victim.rawValue) killed after \(step)")
            }
        }
    }

    /// Power fails in the middle of the device's own write.
    @Test func inTheMiddleOfFlashWrites() throws {
        let firmware = try Firmware.native()
        try Executable.withHome { provision in
            for write in stride(from: 0, to: 450, by: 30) {
                let desk = Desk(provision, firmware, board: "write-\(write)")
                let run = try desk.start(["PROVISION_NATIVE_CUT=\(write)"])
                let status = try #require(run.end(), "in write \(write), the run hangs")
                #expect(status == 5, "write \(write): \(run.errorOutput)")
                #expect(run.errorOutput.contains("error[channel-closed]"))
                try desk.expectNextRun("power lost in write \(write)")
            }
        }
    }

    /// A board of its own, all in one registry.
    private struct Desk {
        let provision: Executable
        let firmware: String
        let state: URL
        private let arguments: [String]

        init(_ provision: Executable, _ firmware: String, board: String) {
            self.provision = provision
            self.firmware = firmware
            state = provision.home.appending(path: "board-\(board)")
            arguments = [
                "enroll", "--platforms",
                Executable.packageRoot.appending(path: "Tests/USBGuest/platforms").path,
                "--platform", "usb-gadget", "--port", USBMock.port, "--json",
            ]
        }

        func start(_ environment: [String] = []) throws -> KillableRun {
            let mock = try USBMock(
                firmware: firmware, state: state, environment: environment, for: provision)
            return try KillableRun(
                provision, program: URL(filePath: "/usr/bin/env"), mock.command() + arguments)
        }

        /// It ends well, and the device has one key that is in force.
        func expectNextRun(_ comment: Comment) throws {
            let mock = try USBMock(firmware: firmware, state: state, for: provision)
            let result = try mock.run(arguments)
            try provision.expectOneKeyInForce(after: result, comment)
        }
    }
}
