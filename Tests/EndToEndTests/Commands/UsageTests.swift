import Foundation
import Testing

/// What somebody who mistypes a command gets to read.
@Suite struct UsageTests {
    @Test(arguments: [("revok", "did you mean revoke?"), ("bogus", "known: run, flash,")])
    func anUnknownCommandIsNamed(word: String, hint: String) throws {
        try Executable.withHome { provision in
            let result = try provision(word)
            #expect(result.status == 2)
            #expect(result.standardError.contains("error[usage]: there is no command \"\(word)\""))
            #expect(result.standardError.contains(hint), "\(result.standardError)")
        }
    }

    @Test(arguments: [
        (["help", "bogus"], "known: run, flash,"), (["help", "revok"], "did you mean revoke?"),
        (["help", "authority", "creat"], "did you mean create?"),
        (["help", "run", "bogus"], "see provision help"),
    ])
    func helpForAnUnknownCommandNamesIt(_ command: [String], _ hint: String) throws {
        try Executable.withHome { provision in
            let result = try provision.run(Executable.url, command)
            result.expectError("usage", status: 2, "there is no command \"\(command.last ?? "")\"")
            #expect(result.hint?.contains(hint) == true, "\(result.standardError)")
            #expect(try provision("help", "authority", "create").text.contains("--name"))
        }
    }

    /// One form for all errors, whoever finds them, and the usage behind it.
    @Test(arguments: [
        (["enroll", "--platform"], "Missing value for '--platform <platform>'", "enroll"),
        (["enroll", "--platform", "native", "--bogus"], "Unknown option '--bogus'", "enroll"),
        (["enroll", "--platform", "native", "--baud", "x"], "'x' is invalid", "enroll"),
        (["revoke"], "give one of --device, --key and --certificate", "revoke"),
        (["authority", "create", "extra"], "extra", "authority create"),
        (["enroll", "--device", "abc"], "two digits for each", "enroll"),
        (["run", "--board", "native:"], "there is no instance", "run"),
    ])
    func wrongUsageIsAnErrorLikeOthers(
        _ command: [String], _ reason: String, _ path: String
    ) throws {
        try Executable.withHome { provision in
            let result = try provision.run(Executable.url, command)
            result.expectError("usage", status: 2, reason)
            let lines = result.standardError.split(separator: "\n")
            #expect(lines.first?.hasPrefix("provision: error[usage]: ") == true)
            #expect(lines.dropFirst().first == "provision: hint: see provision \(path) --help")
            #expect(lines.contains { $0.hasPrefix("Usage: provision \(path) ") })
            #expect(lines.count { $0.contains("--help") } == 1, "\(result.standardError)")
        }
    }

    /// What is wrong with a value is said with what to do about it.
    @Test func aWrongValueHasANextStep() throws {
        try Executable.withHome { provision in
            let record = try provision.provisionNative()
            let device = try #require(record["device"] as? String)
            let key = try #require(record["thumbprint"] as? String)
            try provision("devices", "name", device, "a/b")
                .expectError("usage", status: 2, "\"a/b\"")
            for command in [
                ["keys", "--device", "nobody"], ["registry", "reinstate", "--key", "00000000"],
            ] {
                try provision.run(Executable.url, command)
                    .expectError("not-found", status: 8, command.last ?? "")
            }
            try provision("revoke", "--key", "").expectError("usage", status: 2, "\"\"")
            try provision("registry", "reinstate", "--key", key)
                .expectError("registry-conflict", status: 8, "active, not revoked")
            try provision("emulate", "native", "--instance", "A b")
                .expectError("usage", status: 2, "\"A b\"")
            try provision("emulate", "native", "--firmware", "/nonexistent")
                .expectError("usage", status: 2, "no firmware /nonexistent")
            try provision("emulate", "microbit-qemu", "--firmware", "/bin/true")
                .expectError("usage", status: 2, "takes no --firmware")
            try provision("enroll", "--platform", "native", "--port", "tcp:")
                .expectError("usage", status: 2, "no socket's address: \"tcp:\"")
            try provision("enroll", "--platform", "native", "--port", "/dev/ptmx")
                .expectError("channel-unavailable", status: 5, "/dev/ptmx is not a serial port")
            try provision("enroll", "--platform", "native", "--port", "/dev/tty").expectError(
                "channel-unavailable", status: 5, "/dev/tty is not a serial port, but the terminal")
            let loop = provision.home.path + "/loop"
            try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
            try provision("emulate", "native", "--firmware", loop)
                .expectError("usage", status: 2, "\(loop) can't be read: Too many levels")
        }
    }

    @Test func optionsAloneStillMeanTheDefaultCommand() throws {
        try Executable.withHome { provision in
            let result = try provision("--platform", "native", "--no-build", "--dry-run")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try provision("help", "run").text.contains("USAGE: provision run"))
        }
    }

    /// With --port the emulated board is somebody else's, and so is its probe.
    @Test func aMissingProbeIsNamed() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            for command in ["run", "flash"] {
                let result = try provision(
                    command, "--platform", "microbit-qemu", "--port", "/dev/ttyACM9",
                    "--firmware", image)
                #expect(result.status == 5, "\(result.standardError)")
                #expect(result.standardError.contains("error[probe-unavailable]"))
                #expect(result.standardError.contains("--probe"))
            }
        }
    }

    @Test func aBuildInAnotherFolderSaysHowToNameTheRightOne() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--platform", "native", "--package-path", provision.home.path)
            #expect(result.status == 3)
            #expect(result.standardError.contains("error[build-failed]"))
            #expect(result.standardError.contains("--package-path"))
        }
    }

    @Test(arguments: [
        (
            #"["no-such-tool-7"]"#, "there is no program no-such-tool-7",
            "install it, or add its folder to PATH"
        ),
        (
            #"["/bin/sh", "-c", "echo oops >&2; exit 3"]"#, "ended with status 3",
            "its last lines stand above"
        ),
        (#"["/bin/false"]"#, "ended with status 1", "another folder is named by --package-path"),
    ])
    func aBuildThatFailsSaysWhy(_ command: String, _ cause: String, _ hint: String) throws {
        try Executable.withHome { provision in
            let mine = try provision.platform(
                "mine",
                """
                [build]
                command = \(command)
                image = "image"

                [flash]
                method = "command"
                command = ["/bin/true", "{image}"]

                [channel]
                kind = "uart"
                """)
            let result = try provision.run(
                Executable.url, ["flash", "--package-path", provision.home.path] + mine)
            result.expectError("build-failed", status: 3, provision.home.path, cause)
            #expect(result.hint?.hasPrefix(hint) == true, "\(result.standardError)")
            #expect(result.standardError.components(separatedBy: "oops\n").count <= 2)
        }
    }

    /// Of two devices to be revoked, one would stay good.
    @Test func aSecondValueIsNotTakenForTheFirst() throws {
        try Executable.withHome { provision in
            for (name, arguments) in [
                (
                    "--device",
                    ["revoke", "--device", "a1", "--reason", "superseded", "--device=b2"]
                ),
                ("--head", ["registry", "verify", "--head", "x", "--head", "y"]),
                ("--platform", ["--platform", "native", "--platform", "microbit"]),
                ("-p", ["-p", "native", "-vp", "microbit"]),
                ("-o", ["export", "--format", "csv", "-o", "a", "-o=b"]),
            ] {
                try provision.run(Executable.url, arguments)
                    .expectError("usage", status: 2, "\(name) is given twice")
            }
            try provision("export", "--format", "csv", "--output", "a", "-o", "b")
                .expectError("usage", status: 2, "--output and -o are one option")
            // Those of which there may be several, flags, and what belongs to another command.
            let run = try provision(
                "run", "--board", "native:a", "--board", "native:b", "--timeout", "boot=1s",
                "--timeout", "answer=1s", "-v", "-v", "-p", "native", "--json", "--json",
                "--dry-run", "--",
                "tool", "--platform", "x", "--platform", "y")
            #expect(!run.standardError.contains("is given twice"), "\(run.standardError)")
        }
    }

    @Test func aFolderThatIsNotThereIsMissed() throws {
        try Executable.withHome { provision in
            for command in ["run", "flash"] {
                try provision(command, "--platform", "native", "--package-path", "/nonexistent/x")
                    .expectError("usage", status: 2, "/nonexistent/x is missing")
            }
        }
    }

    @Test(arguments: [
        ["run", "--platform", "native"], ["flash", "-p", "native"], ["emulate", "native"],
    ])
    func noNameIsNoFolder(_ command: [String]) throws {
        try Executable.withHome { provision in
            try provision.run(Executable.url, command + ["--firmware", ""])
                .expectError("usage", status: 2, "--firmware names no file")
        }
    }

    /// A script's variable that is not set.
    @Test(arguments: [
        ["run", "--package-path", ""], ["boards", "--platforms="], ["run", "-p", ""],
        ["enroll", "--platform", "native", "--device", ""], ["keys", "--device", ""],
        ["enroll", "--platform", "native", "--probe", ""],
        ["check", "native", "--device", "--probe="],
        ["flash", "--platform", "native", "--probe-serial", ""], ["revoke", "--device", ""],
        ["export", "--format", "aiocoap", "--uri", ""], ["emulate", "native", "--instance", ""],
        ["platforms", "show", "--platforms=", "native"],
    ])
    func aValueThatIsEmptyIsNone(_ command: [String]) throws {
        try Executable.withHome { provision in
            let result = try provision.run(Executable.url, command)
            result.expectError("usage", status: 2)
            let option = try #require(command.last { $0.hasPrefix("-") }).replacing("=", with: "")
            #expect(result.standardError.contains(option), "\(result.standardError)")
        }
    }

    /// What stands behind a value that is empty keeps its meaning, and so does what is a value itself.
    @Test func whatIsNoOptionMayBeEmpty() throws {
        try Executable.withHome { provision in
            try provision("revoke", "--key", "00000000", "--note", "")
                .expectError("not-found", status: 8)
            let run = try provision(
                "run", "--platform", "native", "--dry-run", "--no-build", "--", "tool", "--port", ""
            )
            #expect(!run.standardError.contains("which is no value"), "\(run.standardError)")
            try provision("revoke", "--key", "00000000", "--note", "a=")
                .expectError("not-found", status: 8)
        }
    }

    @Test(arguments: [
        (["run", "--platform", "native", "--report", "-"], "--report writes a file"),
        (["check", "native", "--device", "--record", "-"], "--record writes a file"),
        (["export", "--format", "jsonl", "--next-update-days", "7"], "goes with --format crl"),
    ])
    func whatAnOptionIsNotForIsRefused(_ command: [String], _ reason: String) throws {
        try Executable.withHome { provision in
            try provision.run(Executable.url, command).expectError("usage", status: 2, reason)
        }
    }

    @Test func namesAreADocumentToo() throws {
        try Executable.withHome { provision in
            let boards = try provision("boards", "--platform", "native", "--names", "--json").json()
            #expect(boards["names"] is [String])
            let names = try provision("platforms", "--names", "--json").json()["names"] as? [String]
            let lines = try provision("platforms", "--names").text.split(separator: "\n").map(
                String.init)
            #expect(names == lines && lines.contains("native"))
        }
    }

    /// ArgumentParser breaks a line at 80 columns, and what is broken can't be copied.
    @Test func helpFitsATerminal() throws {
        try Executable.withHome { provision in
            let overview = try provision("help").text
            let commands = overview.split(separator: "SUBCOMMANDS:\n")[1].split(separator: "\n")
                .compactMap {
                    $0.hasPrefix("  ") && !$0.hasPrefix("   ") ? $0.split(separator: " ")[0] : nil
                }
                .filter { $0 != "See" }
            #expect(commands.count > 10)
            for help in try [overview] + commands.map({ try provision("help", String($0)).text }) {
                let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
                guard let start = lines.firstIndex(of: "EXAMPLES") else { continue }
                for line in lines[(start + 1)...].prefix(while: { !$0.isEmpty }) {
                    #expect(line.hasPrefix("  "), "\(line)")
                }
            }
            #expect(try provision("help", "revoke").text.contains("without one, unspecified"))
        }
    }
}
