import Foundation
import Testing

/// `provision check`: what keeps its promises passes, and what breaks one is found by that one.
///
/// One after the other: each is ten adapters at once already.
@Suite(.serialized) struct CheckTests {
    private func checks(_ result: Executable.Result) throws -> [[String: Any]] {
        try #require(try result.json()["checks"] as? [[String: Any]])
    }

    private func failures(_ result: Executable.Result) throws -> [String] {
        try checks(result).filter { $0["outcome"] as? String == "failed" }
            .compactMap { $0["name"] as? String }
    }

    @Test(arguments: AdapterTemplate.allCases)
    func theTemplatesPass(_ template: AdapterTemplate) throws {
        try Executable.withHome { provision in
            let leftovers = Leftovers(of: provision)
            let result = try provision("check", try template.program(), "--json")
            #expect(result.status == 0, "\(result.text)\(result.standardError)")
            let outcomes = Set(try checks(result).compactMap { $0["outcome"] as? String })
            #expect(outcomes == ["passed"])
            #expect(try checks(result).count > 30)
            #expect(leftovers.processes() == [])
        }
    }

    /// Some, of several kinds of chips and tools. A check takes seconds, and there are 90.
    @Test(arguments: [
        "native", "microbit-qemu", "nrf52840dk", "nucleo-f401re", "esp32-devkitc", "rpi-pico",
        "arduino-uno", "feather-m0",
    ])
    func thePlatformFilesPass(_ name: String) throws {
        try Executable.withHome { provision in
            let result = try provision("check", name)
            #expect(result.status == 0, "\(result.text)\(result.standardError)")
        }
    }

    @Test func commandsAreShownAsTheyWouldRun() throws {
        try Executable.withHome { provision in
            let microbit = try provision("check", "microbit")
            #expect(
                microbit.text.contains(
                    "probe-rs download --chip nRF51822_xxAA --probe VID:PID:SERIAL --verify IMAGE"
                ))
        }
    }

    @Test func aWrongFileIsNamed() throws {
        try Executable.withHome { provision in
            let file = provision.home.appending(path: "mine.toml")
            try Data("name = \"mine\"\nbord = \"x\"\n".utf8).write(to: file)
            try provision("check", file.path)
                .expectError("platform-invalid", status: 2, "mine.toml:2", "bord")
            try provision("check", provision.home.path + "/none.toml")
                .expectError("platform-unknown", status: 2, "none.toml")
            try provision("check", "./nothing").expectError("usage", status: 2, "nothing")
            try provision("check", "nothing-at-all").expectError("platform-unknown", status: 2)
            // One error, and no rows of promises that nobody gave.
            let program = provision.home.path + "/provision-platform-mine"
            func check(_ code: String, _ reason: String) throws {
                let result = try provision("check", program)
                result.expectError(code, status: 2, program, reason)
                #expect(result.text.isEmpty)
            }
            try check("platform-unknown", "there is no adapter")
            try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: program))
            try check("usage", "no program that you may run")
            try FileManager.default.removeItem(atPath: program)
            try FileManager.default.createDirectory(
                atPath: program, withIntermediateDirectories: false)
            try check("usage", "is a folder")
        }
    }

    /// A change to the adapter in Python, and the promise that it breaks.
    private static let faults: [(String, String, String)] = [
        (
            "\"unknown\", f\"{name} is not known\"", "\"failed\", \"?\"",
            "it answers what it does not know, and goes on"
        ),
        (
            "raise Failure(\"version\"", "pass; (\"version\"",
            "it refuses a host that speaks none of its versions"
        ),
        (
            "if number <= self.last_id:", "if False:",
            "it does nothing for a request that comes twice"
        ),
        (
            "return self.refuse(0, Failure(\"malformed\", \"a line is no object of JSON\"))",
            "return",
            "it refuses half a line, and understands the next"
        ),
        ("self.is_done = True\n            return {}", "return {}", "it ends after bye"),
        (
            "# The host is gone, however it went.\n            self.is_done = True",
            "time.sleep(60)", "it ends when its host is gone"
        ),
        (
            "while done < len(data):", "while done < len(data) - 5000:", "an image arrives whole"
        ),
        ("\"flash-erase\" if erase else \"flash\"", "\"flash\"", "erasing reaches the board"),
        (
            "raise Failure(\"flash-failed\", f\"{done} of", "self.wait_for = id; (f\"{done} of",
            "a board that leaves while it is flashed is no success"
        ),
        ("return file.read(256).strip()", "return \"00\"", "it reads the device ID"),
        ("os.write(pipe, b\"r\")", "pass", "a reset reaches the board"),
        (
            "self.say({\"data\": base64.b64encode(data).decode()})",
            "self.say({\"data\": base64.b64encode(data.replace(b\"\\x11\", b\"\")).decode()})",
            "it delivers every byte, unchanged and in order"
        ),
        ("self.say({\"gone\": reason})", "pass", "it says that the far end is gone"),
        (
            "tty.setraw(port, termios.TCSANOW)",
            "tty.setraw(port); a = termios.tcgetattr(port); a[0] |= termios.ICRNL; "
                + "a[1] |= termios.OPOST | termios.ONLCR; termios.tcsetattr(port, termios.TCSANOW, a)",
            "it sends every byte, unchanged and in order"
        ),
    ]

    @Test(arguments: faults)
    func aBrokenPromiseIsFound(_ old: String, _ new: String, _ promise: String) throws {
        try Executable.withHome { provision in
            let text = try String(contentsOfFile: AdapterTemplate.python.program(), encoding: .utf8)
            try #require(text.contains(old))
            let file = provision.home.appending(path: "provision-platform-broken")
            try Data(text.replacing(old, with: new).utf8).write(to: file)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: file.path)
            let result = try provision("check", file.path, "--json")
            #expect(result.status == 1, "\(result.standardError)")
            let failures = try failures(result)
            #expect(failures.contains(promise), "\(failures)")
        }
    }

    /// One that never answers does not hold the checks up.
    @Test func aSilentAdapterIsGivenUpOnce() throws {
        try Executable.withHome { provision in
            let file = provision.home.appending(path: "provision-platform-silent")
            try Data("#!/bin/sh\nexec sleep 600\n".utf8).write(to: file)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: file.path)
            let leftovers = Leftovers(of: provision)
            let result = try provision("check", file.path, "--json", within: 120)
            #expect(result.status == 1)
            #expect(try failures(result).contains("it says hello, and describes its platform"))
            #expect(result.text.contains("adapter-silent"))
            #expect(leftovers.processes() == [])
        }
    }

    /// A board's conversation, kept and had again; one that was changed is none.
    @Test func aTranscriptIsReplayed() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let place = try AdapterTemplate.python.install(in: provision.home)
            let board = try NativeBoardFolder(in: provision.home)
            defer { board.stop() }
            let file = provision.home.appending(path: "kept.transcript")
            let result = try provision(
                in: .searching(place),
                [
                    "check", "example", "--device", "--firmware", image, "--port", board.path,
                    "--record", file.path, "--json",
                ])
            try #require(result.status == 0, "\(result.text)\(result.standardError)")
            #expect(try provision.keys().isEmpty)
            let replayed = try provision(
                in: .searching(place), ["check", "example", "--replay", file.path])
            #expect(replayed.status == 0, "\(replayed.text)\(replayed.standardError)")
            #expect(replayed.text.contains(board.id))

            let text = try String(contentsOf: file, encoding: .utf8)
            let lines = text.split(separator: "\n")
            let last = try #require(lines.last { $0.contains("\"from\"") })
            for changed in [
                // Another nonce was asked for; the device said something else; it ends too soon.
                text.replacing("\"random\":\"", with: "\"random\":\"AA"),
                text.replacing(last, with: "{\"from\":\"AAAA\"}"),
                lines.prefix(lines.count / 2).joined(separator: "\n"),
            ] {
                try Data(changed.utf8).write(to: file)
                let result = try provision(
                    in: .searching(place), ["check", "example", "--replay", file.path])
                #expect([1, 2].contains(result.status), "\(result.text)\(result.standardError)")
            }
            // Nobody said where.
            let unnamed = try provision(
                in: .searching(place), ["check", "example", "--device", "--port", board.path],
                folder: provision.home)
            #expect(unnamed.status == 0, "\(unnamed.text)\(unnamed.standardError)")
            #expect(
                FileManager.default.fileExists(
                    atPath: provision.home.appending(path: "example.transcript").path))

            try Data("{}\n".utf8).write(to: file)
            try provision(in: .searching(place), ["check", "example", "--replay", file.path])
                .expectError("usage", status: 2, "no transcript")
        }
    }

    /// What others have put there stays: a link, and a pipe that somebody reads.
    @Test func aTranscriptGoesWhereALinkOrAPipeLeads() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            let check = ["check", "native", "--device", "--port", board.port, "--record"]
            let (link, target) = (provision.home.path + "/link", provision.home.path + "/target")
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: "target")
            let linked = try provision.run(Executable.url, check + [link])
            #expect(linked.status == 0, "\(linked.text)\(linked.standardError)")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target")
            #expect(try provision("check", "native", "--replay", target).status == 0)

            let (pipe, copy) = (provision.home.path + "/pipe", provision.home.path + "/copy")
            try #require(mkfifo(pipe, 0o600) == 0)
            let script = """
                cat "$1" >"$2" & reader=$!
                pipe=$1
                shift 2
                "$@"
                status=$?
                # Nobody will ever write to it: the reader need not wait.
                [ $status = 0 ] && [ -p "$pipe" ] || kill $reader
                wait $reader && exit $status
                """
            let piped = try provision.run(
                URL(filePath: "/bin/sh"),
                ["-c", script, "sh", pipe, copy, Executable.url.path] + check + [pipe])
            #expect(piped.status == 0, "\(piped.text)\(piped.standardError)")
            var status = stat()
            #expect(lstat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
            #expect(try provision("check", "native", "--replay", copy).status == 0)
        }
    }

    /// A pipe whose writer says nothing.
    @Test func controlCEndsTheWaitForATranscript() throws {
        try Executable.withHome { provision in
            let pipe = provision.home.path + "/pipe"
            try #require(mkfifo(pipe, 0o600) == 0)
            let run = try BackgroundRun(provision, ["check", "native", "--replay", pipe])
            // It can be opened for writing as soon as somebody reads it.
            var writer = open(pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            for _ in 0..<1200 where writer < 0 {
                usleep(50_000)
                writer = open(pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            }
            try #require(writer >= 0, "\(run.errorOutput)")
            defer { close(writer) }
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
            #expect(run.errorOutput.contains("error[interrupted]"))
        }
    }
}
