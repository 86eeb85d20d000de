import Foundation
import Testing

/// Many boards side by side: each gets its own credentials, and no one's failure is another's.
@Suite struct FleetTests {
    /// Emulated and native, 16 in all.
    private static let mixed =
        (1...10).map { "native:native-\($0)" }
        + (1...3).map { "microbit-qemu:microbit-\($0)" }
        + (1...3).map { "mps2-an386-qemu:mps2-\($0)" }

    private static func options(_ boards: [String]) -> [String] {
        boards.flatMap { ["--board", $0] }
    }

    private static let image = ["--no-build", "--package-path", Firmware.package.path]

    @Test func sixteenBoardsOfThreeKinds() throws {
        let images = [
            "native": try Firmware.native(), "microbit-qemu": try Firmware.microbit(),
            "mps2-an386-qemu": try Firmware.mps2(),
        ]
        try Executable.withHome { provision in
            let run = ["run", "--json"] + Self.image + Self.options(Self.mixed)
            let result = try provision.run(Executable.url, run)
            try #require(result.status == 0, "\(result.standardError)")
            let entries = try result.boards()
            #expect(try result.json()["succeeded"] as? Int == 16)
            #expect(entries.map { $0["name"] as? String } == Self.mixed.map(Self.instance))
            let records = entries.compactMap { $0["record"] as? [String: Any] }
            #expect(Set(records.compactMap { $0["device"] as? String }).count == 16)
            #expect(Set(records.compactMap { $0["thumbprint"] as? String }).count == 16)
            #expect(try provision("registry", "verify").status == 0)
            #expect(try provision.keys()["active"]?.count == 16)

            // What each board has, by its own word.
            let stored = try Self.mixed.map { name in
                let platform = String(name.prefix { $0 != ":" })
                let firmware = platform == "native" ? ["--firmware", images[platform] ?? ""] : []
                let board = try EmulatedBoard(
                    provision, [platform, "--instance", Self.instance(of: name)] + firmware)
                defer { #expect(board.interrupt() == 0) }
                return try StoredCredentials(port: board.port)
            }
            #expect(stored.map(\.device) == records.compactMap { $0["device"] as? String })
            for board in stored { board.expectToBeItsOwn(among: stored) }

            // Once more, a few at a time: nothing changes.
            let again = try provision.run(Executable.url, run + ["--jobs", "3"])
            #expect(again.status == 0, "\(again.standardError)")
            let repeated = try again.boards().compactMap { $0["record"] as? [String: Any] }
            #expect(repeated.allSatisfy { $0["isNewKey"] as? Bool == false })
            #expect(
                repeated.map { $0["thumbprint"] as? String }
                    == records.map { $0["thumbprint"] as? String })
        }
    }

    /// A few at a time, and all of them.
    @Test func fewDescriptorsAreEnough() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let result = try provision.run(
                URL(filePath: "/bin/sh"),
                [
                    "-c", "ulimit -n 100 && exec \"$@\"", "sh", Executable.url.path, "run", "--all",
                    "--platform", "native", "--instances", "8", "--firmware", image,
                ])
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                result.standardError.contains(
                    "100 open files are allowed, so 3 boards at a time and not 8"),
                "\(result.standardError)")
            #expect(try provision.keys()["active"]?.count == 8)
        }
    }

    private static func instance(of name: String) -> String {
        name.split(separator: ":").last.map(String.init) ?? ""
    }

    /// How a board can be broken, the command that plays it, and what is said of it.
    @Test(
        arguments: [
            ("silent", #"["/bin/sh", "-c", "sleep 600", "{image}"]"#, "device-silent", 5),
            ("deaf to the protocol", #"["/bin/sh", "-c", "yes", "{image}"]"#, "no-answer", 5),
            ("ended at once", #"["/bin/false", "{image}"]"#, "emulator-failed", 5),
            ("an echo", #"["/bin/cat", "-", "{image}"]"#, nil, nil),
        ] as [(String, String, String?, Int32?)])
    func oneThatIsBrokenStopsNoOther(
        kind: String, command: String, code: String?, status: Int32?
    ) throws {
        _ = try Firmware.native()
        try Executable.withHome { provision in
            let folder = try Self.platform("broken", command, bootMilliseconds: 2000, provision)
            var boards = (1...15).map { "native:native-\($0)" }
            boards.insert("broken:broken", at: 7)
            let report = provision.home.appending(path: "report.json")
            let result = try provision.run(
                Executable.url,
                ["run", "--platforms", folder, "--report", report.path] + Self.image
                    + Self.options(boards))
            #expect(result.errorCode != nil && result.status != 0, "\(result.standardError)")
            if let code { #expect(result.errorCode == code, "\(result.standardError)") }
            if let status { #expect(result.status == status) }
            #expect(
                result.standardError.contains("1 of 16 boards failed, broken first:"),
                "\(result.standardError)")
            #expect(result.text.contains("15 of 16 boards done"))
            let line = try #require(
                result.text.split(separator: "\n").first { $0.hasPrefix("broken") })
            #expect(line.contains("error[\(result.errorCode ?? "")]"))

            let document = try JSONSerialization.jsonObject(with: Data(contentsOf: report))
            let entries = try #require(
                (document as? [String: Any])?["boards"] as? [[String: Any]])
            #expect(entries.count == 16)
            for entry in entries {
                let isBroken = entry["name"] as? String == "broken"
                #expect((entry["record"] == nil) == isBroken)
                #expect((entry["error"] != nil) == isBroken)
            }
            let error = entries[7]["error"] as? [String: Any]
            #expect(error?["code"] as? String == result.errorCode)
            #expect(try provision.keys()["active"]?.count == 15)
            #expect(try provision("registry", "verify").status == 0)
            #expect(Leftovers(of: provision).processes() == [])
        }
    }

    /// One waits, so that the run is in the middle for sure; where the others are is left to chance.
    @Test(
        .disabled(
            if: Executable.sanitizer == "thread",
            "it keeps a signal from a thread that waits in libdispatch, as main does here"),
        arguments: ["native-1  flash", "native-5  evidence", "native-15  confirm"])
    func ctrlCEndsAll(moment: String) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let folder = try Self.platform(
                "waiting", #"["/bin/sh", "-c", "sleep 600", "{image}"]"#, bootMilliseconds: 600_000,
                provision)
            let boards = (1...15).map { "native:native-\($0)" } + ["waiting:waiting"]
            let leftovers = Leftovers(of: provision)
            let run = try BackgroundRun(
                provision,
                ["run", "--platforms", folder, "--json", "--package-path", Firmware.package.path]
                    + ["--no-build"] + Self.options(boards))
            // Names are padded to the longest.
            let words = moment.split(separator: " ")
            let line = String(words[0]).padding(toLength: 9, withPad: " ", startingAt: 0)
            #expect(run.says("\(line)  \(words[1])"), "\(run.errorOutput)")
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
            #expect(run.errorOutput.contains("error[interrupted]"))
            #expect(leftovers.processes() == [])
            let entries = try #require(try run.json()["boards"] as? [[String: Any]])
            #expect(entries.count == 16)
            let codes = entries.compactMap { ($0["error"] as? [String: Any])?["code"] as? String }
            #expect(Set(codes) == ["interrupted"])
            #expect(try provision.isRecordSound())

            let next = try provision(
                "run", "--all", "--platform", "native", "--instances", "15", "--firmware", image)
            #expect(next.status == 0, "\(next.standardError)")
            #expect(try provision("registry", "verify").status == 0)
            // Who was interrupted made no second key.
            let keys = try provision.keys()
            #expect(keys["active"]?.count == 15 && keys["revoked"] == nil, "\(keys)")
        }
    }

    /// Kill -9 in the middle, too.
    @Test func aKilledRunLeavesNothingBehind() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let leftovers = Leftovers(of: provision)
            let arguments = [
                "run", "--all", "--platform", "native", "--instances", "16", "--firmware", image,
            ]
            let run = try BackgroundRun(provision, arguments)
            #expect(run.says("register"), "\(run.errorOutput)")
            kill(run.processID, SIGKILL)
            // It may have been quicker.
            #expect([0, 128 + SIGKILL].contains(run.wait()))
            #expect(leftovers.processes() == [])
            #expect(try provision.isRecordSound())
            let next = try provision.run(Executable.url, arguments)
            #expect(next.status == 0, "\(next.standardError)")
            let keys = try provision.keys()
            #expect(keys["active"]?.count == 16 && keys["revoked"] == nil, "\(keys)")
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test(arguments: [
        (["native:a", "native:b", "native:a"], "the board a is named twice"),
        (["native", "native:native-1"], "the board native-1 is named twice"),
        // The memory of both would be in one folder.
        (["native:a", "microbit-qemu:a"], "the board a is named twice"),
    ])
    func oneBoardNamedTwiceIsRefused(boards: [String], reason: String) throws {
        try Executable.withHome { provision in
            let result = try provision.run(
                Executable.url, ["run"] + Self.image + Self.options(boards))
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
                ["enroll"] + Self.options(["native@/dev/null", "native@\(link)"]))
            result.expectError(
                "board-ambiguous", status: 5, "/dev/null and \(link)", "the port /dev/null")
        }
    }

    @Test(arguments: [
        (["--all", "--platform", "native"], "native is emulated", 2),
        (["--all", "--platform", "native", "--instances", "0"], "--instances is 1 to 1000", 2),
        (["--platform", "native", "--instances", "2"], "--instances goes with --all", 2),
        (["--platform", "native", "--jobs", "2"], "--jobs goes with", 2),
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

    /// Boards that run elsewhere already.
    @Test func enrollsBoardsThatRun() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let boards = try ["a", "b", "c"].map {
                try EmulatedBoard(provision, ["native", "--firmware", image, "--instance", $0])
            }
            defer { for board in boards { _ = board.interrupt() } }
            let names = boards.map { "native@\($0.port)" }
            let result = try provision.run(
                Executable.url, ["enroll", "--json"] + Self.options(names))
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try result.boards().map { $0["name"] as? String } == boards.map(\.port))
            #expect(try provision.keys()["active"]?.count == 3)
        }
    }

    /// The same, each through its own GDB server: each image and each ID is the right board's.
    @Test func eachIsFlashedThroughItsOwnServer() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            let boards = try ["a", "b"].map {
                try EmulatedBoard(provision, "microbit-qemu", "--instance", $0)
            }
            defer { for board in boards { _ = board.interrupt() } }
            let listed = try provision("boards", "--names").text.split(separator: "\n")
            let names = try boards.map { board in
                "microbit-qemu@\(board.port)@gdb:\(try #require(board.probe))"
            }
            #expect(Set(listed.map(String.init)) == Set(names))
            let result = try provision.run(
                Executable.url,
                ["run", "--json", "--firmware", image] + Self.options(names))
            try #require(result.status == 0, "\(result.standardError)")
            let entries = try result.boards()
            #expect(entries.map { $0["name"] as? String } == boards.map(\.port))
            let records = entries.compactMap { $0["record"] as? [String: Any] }
            #expect(records.allSatisfy { $0["isIDReadByProbe"] as? Bool == true })
            let ids = try ["a", "b"].map { name in
                let file = provision.home.appending(path: "emulated/\(name)/device-id")
                return try Data(contentsOf: file).map { String(format: "%02x", $0) }.joined()
            }
            #expect(records.map { $0["device"] as? String } == ids)
            // One server has one board.
            let probe = try #require(boards[0].probe)
            let other = "microbit-qemu@\(boards[1].port)@gdb:\(probe)"
            try provision.run(Executable.url, ["flash"] + Self.options([names[0], other]))
                .expectError("board-ambiguous", status: 5, probe)
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

    @Test func flashesWithoutProvisioning() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let result = try provision(
                "flash", "--all", "--platform", "native", "--instances", "2", "--firmware", image,
                "--json")
            #expect(result.status == 0, "\(result.standardError)")
            let records = try result.boards().compactMap { $0["record"] as? [String: Any] }
            #expect(Set(records.compactMap { $0["digest"] as? String }).count == 1)
            #expect(records.count == 2)
            #expect(try provision("devices", "--json").json()["devices"] as? [String] == [])
        }
    }

    /// A line each, rewritten in its place.
    @Test func aTerminalShowsALineForEach() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let run = try TerminalRun(
                provision, Executable.url.path,
                ["run", "--all", "--platform", "native", "--instances", "3", "--firmware", image])
            defer { run.close() }
            #expect(run.shows("<status 0>"), "\(run.output)")
            for number in 1...3 {
                #expect(run.output.contains("native-\(number)  waiting"))
                #expect(
                    run.output.contains("\u{1B}[\(4 - number)A\r\u{1B}[Knative-\(number)  confirm"),
                    "\(run.output)")
            }
            #expect(run.output.contains("3 of 3 boards done"))
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

    private static func platform(
        _ name: String, _ command: String, bootMilliseconds: Int, _ provision: Executable
    ) throws -> String {
        let folder = provision.home.appending(path: "platforms")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            name = "\(name)"
            description = "a board that does not do what it should"
            board = "native"

            [build]
            command = ["/bin/true"]
            image = "/bin/true"

            [flash]
            method = "none"

            [channel]
            kind = "uart"

            [emulator]
            kind = "process"
            command = \(command)

            [timeouts]
            boot-ms = \(bootMilliseconds)
            answer-ms = 1000
            signature-ms = 1500
            """
        try Data(text.utf8).write(to: folder.appending(path: "\(name).toml"))
        return folder.path
    }
}

extension Executable.Result {
    fileprivate func boards() throws -> [[String: Any]] {
        try #require(try json()["boards"] as? [[String: Any]])
    }
}
