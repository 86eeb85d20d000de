import Foundation
import Testing

/// Flash tools that go on running and print the log, as `probe-rs run` does.
@Suite struct FlasherMonitorTests {
    @Test(arguments: [false, true]) func itLivesAsLongAsItIsWatched(_ terminal: Bool) throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            let log = try desk.file("boot.log", try desk.bootLog())
            let platform = try desk.monitored(
                #"echo "flashing $1"; cat "\#(log)"; [ -t 1 ] && echo a terminal; echo $$ > "\#(log).pid"; exec tail -f /dev/null"#,
                terminal: terminal)
            let run = try BackgroundRun(
                desk.provision, ["run", "--firmware", image] + platform)
            #expect(run.says("attached to sh, read-only"), "\(run.errorOutput)")
            #expect(run.prints("flashing \(image)"))
            #expect(run.prints("PROVISION-EVIDENCE-1 "))
            if terminal { #expect(run.prints("a terminal")) }
            #expect(run.waits(for: log + ".pid"))
            #expect(run.interrupt() == 0, "\(run.errorOutput)")
            #expect(run.errorOutput.contains("sh was ended by signal 2"), "\(run.errorOutput)")
            let pid = try #require(
                Int32(
                    try String(contentsOfFile: log + ".pid", encoding: .utf8)
                        .trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(kill(pid, 0) != 0 && errno == ESRCH, "the tool still runs")
            #expect(try desk.provision.keys()["active"]?.count == 1)
        }
    }

    @Test func itsStatusIsReported() throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            let log = try desk.file("boot.log", try desk.bootLog())
            func run(_ script: String, _ more: String...) throws -> Executable.Result {
                try desk.run(["run", "--firmware", image] + (try desk.monitored(script)) + more)
            }
            // Before the firmware has said anything, it has not flashed.
            let failed = try run("echo no probe was found; exit 3")
            failed.expectError(
                "flash-failed", status: 4, "ended with status 3", "no probe was found")
            #expect(try desk.provision.keys().isEmpty)
            // It has, and ends while the log is shown.
            let ended = try run("cat '\(log)'; exit 3")
            #expect(ended.status == 5, "\(ended.standardError)")
            #expect(ended.standardError.contains("sh ended with status 3"))
            #expect(try desk.provision.keys()["active"]?.count == 1)
            let well = try run("cat '\(log)'; exit 0")
            #expect(well.status == 0, "\(well.standardError)")
            #expect(well.standardError.contains("sh ended with status 0"))
            // It ends, and said nothing of use.
            let nothing = try run("echo hello")
            nothing.expectError("report-missing", status: 5, "hello")
            let detached = try run("cat '\(log)'; exec tail -f /dev/null", "--detach", "--json")
            #expect(detached.status == 0, "\(detached.standardError)")
            #expect(try detached.json()["isNewKey"] as? Bool == false)
        }
    }

    /// A board without storage starts again while it is watched.
    @Test func aKeyThatChangesWhileItIsWatchedIsSaid() throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            let first = try desk.file("first.log", try desk.bootLog())
            let second = try desk.file("second.log", try desk.bootLog(erasing: true))
            let go = desk.provision.home.path + "/go"
            let platform = try desk.monitored(
                "cat '\(first)'; until [ -e '\(go)' ]; do sleep 0.05; done; cat '\(second)'; exec tail -f /dev/null"
            )
            let run = try BackgroundRun(desk.provision, ["run", "--firmware", image] + platform)
            #expect(run.says("attached to sh"), "\(run.errorOutput)")
            try desk.file("go", "")
            #expect(run.says("warning[volatile-key]"), "\(run.errorOutput)")
            #expect(run.interrupt() == 0)
            #expect(try desk.provision.keys()["active"]?.count == 1)
        }
    }
}
