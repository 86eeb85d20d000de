import Foundation
import Testing

/// Many boards side by side: each gets its own credentials.
@Suite struct FleetTests {
    /// Emulated and native, 16 in all.
    private static let mixed =
        (1...10).map { "native:native-\($0)" }
        + (1...3).map { "microbit-qemu:microbit-\($0)" }
        + (1...3).map { "mps2-an386-qemu:mps2-\($0)" }

    @Test func sixteenBoardsOfThreeKinds() throws {
        let images = [
            "native": try Firmware.native(), "microbit-qemu": try Firmware.microbit(),
            "mps2-an386-qemu": try Firmware.mps2(),
        ]
        try Executable.withHome { provision in
            let run = ["run", "--json"] + Fleet.image + Fleet.options(Self.mixed)
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
                Executable.url, ["enroll", "--json"] + Fleet.options(names))
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
                ["run", "--json", "--firmware", image] + Fleet.options(names))
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
            try provision.run(Executable.url, ["flash"] + Fleet.options([names[0], other]))
                .expectError("board-ambiguous", status: 5, probe)
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
}
