import Foundation
import Testing

/// Outputs that are pipes which nobody reads. Progress holds nothing up; results wait, but not beyond Ctrl-C.
@Suite struct UnreadOutputTests {
    @Test func progressThatNobodyReadsIsNotWaitedFor() throws {
        try Executable.withHome { provision in
            let pipe = try FullPipe()
            let run = try BackgroundRun(
                provision, try Executable.nativeRun(), errorOutput: pipe.input)
            #expect(run.wait() == 0)
            #expect(try run.json()["keyState"] as? String == "active")
            try provision.expectToContinue()
        }
    }

    @Test func anErrorThatNobodyReadsKeepsItsStatus() throws {
        try Executable.withHome { provision in
            let pipe = try FullPipe()
            let run = try BackgroundRun(
                provision, ["enroll", "--platform", "native", "--port", "/nowhere"],
                errorOutput: pipe.input)
            #expect(run.wait() == 5)
        }
    }

    /// Several boards share the pipe.
    @Test func norAreLinesOfManyBoards() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let pipe = try FullPipe()
            let run = try BackgroundRun(
                provision,
                [
                    "run", "--all", "--platform", "native", "--instances", "4", "--firmware", image,
                    "--json", "-v",
                ], errorOutput: pipe.input)
            #expect(run.wait() == 0)
            #expect(try run.json()["succeeded"] as? Int == 4)
        }
    }

    @Test func whatWasLostIsSaid() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let pipe = try FullPipe()
            let run = try BackgroundRun(
                provision, ["run", "--platform", "native", "--firmware", image],
                errorOutput: pipe.input)
            // The console is open by then, and everything before it was said. What the device says before its port is
            // opened is nobody's; that it is up, it says again and again.
            #expect(run.prints("boot embedded-swift/native", within: 5) || run.prints("up "))
            pipe.drain()
            #expect(pipe.says("provision: created an authority"))
            #expect(run.interrupt() == 0)
            #expect(pipe.says(" lines are lost here, for nobody read them in time\n"))
            // The line that was under way is whole, and what was lost is said in its place.
            let lines = pipe.text.split(separator: "\n")
            #expect(lines.first?.hasPrefix("provision: created an authority") == true, "\(lines)")
            #expect(lines.dropFirst().first?.contains("lost here") == true, "\(lines)")
        }
    }

    /// The device is provisioned by then, and the next run finds it so.
    @Test(arguments: [["--json", "--detach"], ["--detach"], []])
    func aResultThatNobodyReadsWaitsUntilCtrlC(_ options: [String]) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let pipe = try FullPipe()
            let run = try BackgroundRun(
                provision, ["run", "--platform", "native", "--firmware", image] + options,
                output: pipe.input)
            #expect(run.says("confirm "), "\(run.errorOutput)")
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
            #expect(run.errorOutput.contains("error[interrupted]"), "\(run.errorOutput)")
            #expect(try provision.keys()["active"]?.count == 1)
            try provision.expectToContinue()
        }
    }

    /// Results that are read late are whole.
    @Test func aResultThatIsReadLateIsWhole() throws {
        try Executable.withHome { provision in
            let pipe = try FullPipe()
            let run = try BackgroundRun(provision, try Executable.nativeRun(), output: pipe.input)
            #expect(run.says("confirm "), "\(run.errorOutput)")
            pipe.drain()
            #expect(run.wait() == 0, "\(run.errorOutput)")
            #expect(pipe.says("\n}\n"))
            let record = try JSONSerialization.jsonObject(with: Data(pipe.text.utf8))
            #expect((record as? [String: Any])?["keyState"] as? String == "active")
        }
    }

    /// A command that nothing has to be undone of says that it was interrupted, if somebody reads it.
    @Test(arguments: [SIGINT, SIGTERM]) func anyCommandIsInterrupted(signal: Int32) throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let sign = provision.home.path + "/registry.sqlite-shm"
            try #require(!FileManager.default.fileExists(atPath: sign))
            let (output, errors) = (try FullPipe(), try FullPipe())
            let run = try BackgroundRun(
                provision, ["export", "--format", "csv"], output: output.input,
                errorOutput: errors.input)
            try #require(run.waits(for: sign))
            #expect(run.interrupt(with: signal) == 130)
        }
    }
}
