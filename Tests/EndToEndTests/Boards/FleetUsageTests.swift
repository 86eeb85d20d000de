import Foundation
import Testing

/// What several boards may be called, and what a dry run says of them.
@Suite struct FleetUsageTests {
    @Test(arguments: [
        (["native:a", "native:b", "native:a"], "the board a is named twice"),
        (["native", "native:native-1"], "the board native-1 is named twice"),
        // The memory of both would be in one folder.
        (["native:a", "microbit-qemu:a"], "the board a is named twice"),
    ])
    func oneBoardNamedTwiceIsRefused(boards: [String], reason: String) throws {
        try Executable.withHome { provision in
            let result = try provision.run(
                Executable.url, ["run"] + Fleet.image + Fleet.options(boards))
            result.expectError("usage", status: 2, reason)
            #expect(!FileManager.default.fileExists(atPath: provision.home.path + "/emulated"))
        }
    }

    @Test func onePortByTwoNamesIsRefused() throws {
        try Executable.withHome { provision in
            let link = provision.home.appending(path: "board").path
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: "/dev/null")
            let result = try provision.run(
                Executable.url,
                ["enroll"] + Fleet.options(["native@/dev/null", "native@\(link)"]))
            result.expectError(
                "board-ambiguous", status: 5, "/dev/null and \(link)", "the port /dev/null")
        }
    }

    @Test(arguments: [
        (["--all", "--platform", "native"], "native is emulated", 2),
        (["--all", "--platform", "native", "--instances", "0"], "--instances is 1 to 1000", 2),
        (["--platform", "native", "--instances", "2"], "--instances goes with --all", 2),
        (["--platform", "native", "--jobs", "2"], "--jobs goes with", 2),
        (["--all", "--board", "native:a"], "--all finds no board", 5),
        (["--board", "native", "--port", "/dev/null"], "--port is for one board", 2),
        (["--board", "native", "--instance", "a"], "--instance is for one board", 2),
        (["--board", "@/dev/null"], "@/dev/null", 2),
        (["--board", "native@@gdb:localhost:1"], "native@@gdb:localhost:1", 2),
        (["--board", "native@gdb:"], "native@gdb:", 2),
        (["--board", "native@gdb:localhost"], "no GDB server address: \"localhost\"", 2),
        (["--board", "nativ"], "no platform is called \"nativ\"", 2),
    ])
    func whatMakesNoSenseIsWrongUsage(options: [String], reason: String, status: Int32) throws {
        try Executable.withHome { provision in
            for command in ["run", "enroll", "flash"] {
                let result = try provision.run(Executable.url, [command] + options)
                #expect(result.status == status, "\(result.standardError)")
                #expect(result.standardError.contains(reason), "\(result.standardError)")
            }
        }
    }

    @Test func oneImageIsForOneKindOfBoard() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--firmware", image, "--board", "native", "--board", "microbit-qemu")
            result.expectError("usage", status: 2, "microbit and native")
        }
    }

    @Test func aServerIsNoPort() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--dry-run", "--json", "--board", "microbit-qemu@gdb:[::1]:3333", "--board",
                "native@/dev/a@b@gdb::1")
            let boards = try result.boards()
            #expect(boards.map { $0["board"] as? String } == ["tcp:[::1]:3333", "/dev/a@b"])
            #expect(boards.map { $0["port"] as? String } == [nil, "/dev/a@b"])
            #expect(
                boards.map { $0["probe"] as? String } == ["tcp:[::1]:3333", "tcp:localhost:1"])
        }
    }

    @Test func aDryRunNamesTheBoards() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--dry-run", "--json", "--board", "native:kitchen", "--board",
                "native@/dev/null")
            let boards = try result.boards()
            #expect(boards.map { $0["board"] as? String } == ["kitchen", "/dev/null"])
            #expect(!FileManager.default.fileExists(atPath: provision.home.path + "/emulated"))
        }
    }

    /// The document, in the file that was asked for too, or the error in its place.
    @Test(arguments: [["--platform", "native"], ["--board", "native:kitchen"]])
    func aDryRunIsADocument(board: [String]) throws {
        try Executable.withHome { provision in
            let file = provision.home.appending(path: "plan.json")
            let dryRun = [
                "run", "--dry-run", "--firmware", "app", "--json", "--report", file.path,
            ]
            let plan = try provision.run(Executable.url, dryRun + board)
            #expect(plan.status == 0, "\(plan.standardError)")
            #expect(try Data(contentsOf: file) == plan.standardOutput)
            let error = try provision.run(
                Executable.url, dryRun + [board[0], board[1].replacing("native", with: "no-such")])
            #expect(error.status != 0)
            let reason = try error.json()["error"] as? [String: Any]
            #expect(reason?["code"] as? String == "platform-unknown")
            #expect(try Data(contentsOf: file) == error.standardOutput)
        }
    }
}
