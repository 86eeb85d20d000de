import Foundation
import OpenSSL
import Testing

/// `provision run -- <any command that flashes>`: a flash tool that nobody has told the program about.
@Suite struct GivenCommandTests {
    /// A running board, as on a cable.
    private func withBoard(
        _ body: (Executable, _ image: String, _ port: String) throws -> Void
    ) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            try body(provision, image, board.port)
        }
    }

    private func arguments(_ port: String, _ more: [String]) -> [String] {
        ["run", "--platform", "native", "--port", port, "--detach", "--json"] + more
    }

    /// `-- $COMMAND`, of which nothing came.
    @Test func nothingIsNoCommand() throws {
        try Executable.withHome { provision in
            try provision("run", "--platform", "native", "--")
                .expectError("usage", status: 2, "no flash command behind --")
        }
    }

    @Test func itIsTheFlashStepAndTheRestGoesOn() throws {
        try withBoard { provision, _, port in
            let seen = provision.home.appending(path: "seen").path
            // No shell has a look at it: the program gets the words as they are.
            let result = try provision.run(
                Executable.url,
                arguments(
                    port,
                    [
                        "--", "/bin/sh", "-c", #"printf "%s\n" "$@" > "$0""#, seen, "--at={port}",
                        "{board}", "$HOME; *", "--detach",
                    ]))
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                try String(contentsOfFile: seen, encoding: .utf8)
                    == "--at=\(port)\nnative\n$HOME; *\n--detach\n")
            let record = try result.json()
            #expect(record["keyState"] as? String == "active")
            #expect(record["imageDigest"] == nil)
            #expect(
                result.standardError.contains("flash ")
                    && result.standardError.contains("the tool's own image, not read back"),
                "\(result.standardError)")
            #expect(try provision.keys()["active"]?.count == 1)
        }
    }

    /// With {image}, by its name, or as the last word, which is where cargo puts it.
    @Test func theImageIsRecordedWhereItIsKnown() throws {
        try withBoard { provision, image, port in
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: image)))
            let digest = SHA256.hash(bytes).map { String(format: "%02x", $0) }.joined()
            for more in [
                ["--firmware", image, "--", "/usr/bin/test", "-f", "{image}"],
                ["--firmware", image, "--", "/bin/true"], ["--", "/usr/bin/test", "-f", image],
            ] {
                let result = try provision.run(Executable.url, arguments(port, more))
                #expect(result.status == 0, "\(result.standardError)")
                #expect(try result.json()["imageDigest"] as? String == digest, "\(more)")
            }
            let other = try provision.run(
                Executable.url, arguments(port, ["--", "/usr/bin/test", "-f", "/etc/passwd"]))
            #expect(try other.json()["imageDigest"] == nil)
        }
    }

    /// The package's image is not what a command with its own has flashed.
    @Test func thePackagesImageIsNotTakenForIt() throws {
        try withBoard { provision, _, port in
            let package = provision.home.appending(path: "package")
            try FileManager.default.createDirectory(at: package, withIntermediateDirectories: true)
            try Data("firmware = \"app.elf\"\n".utf8)
                .write(to: package.appending(path: "provision.toml"))
            for image in [nil, "another image"] {
                try image.map {
                    try Data($0.utf8).write(to: package.appending(path: "app.elf"))
                }
                let result = try provision.run(
                    Executable.url,
                    arguments(
                        port, ["--package-path", package.path, "--", "/usr/bin/env", "true"]))
                #expect(result.status == 0, "\(result.standardError)")
                #expect(try result.json()["imageDigest"] == nil)
            }
        }
    }

    @Test func itsStatusIsTheReasonOfTheEnd() throws {
        try withBoard { provision, _, port in
            let result = try provision.run(
                Executable.url,
                arguments(port, ["--", "/bin/sh", "-c", "echo no target >&2; exit 7"]))
            result.expectError("flash-failed", status: 4, "ended with status 7", "no target")
            #expect(try provision.keys().isEmpty)
            try provision.run(Executable.url, arguments(port, ["--", "no-such-flasher-7"]))
                .expectError("flash-failed", status: 4, "there is no program no-such-flasher-7")
        }
    }

    @Test func controlCReachesIt() throws {
        try withBoard { provision, _, port in
            let (ready, told) = (provision.home.path + "/ready", provision.home.path + "/told")
            let script =
                "trap 'echo interrupted > \"\(told)\"; exit 1' INT; echo $$ > \"\(ready)\"; "
                + "sleep 600 & wait"
            let run = try BackgroundRun(
                provision, arguments(port, ["--", "/bin/sh", "-c", script]))
            #expect(run.waits(for: ready), "\(run.errorOutput)")
            #expect(run.interrupt() == 130, "\(run.errorOutput)")
            #expect(run.errorOutput.contains("error[interrupted]"))
            #expect(try String(contentsOfFile: told, encoding: .utf8) == "interrupted\n")
            let text = try String(contentsOfFile: ready, encoding: .utf8)
            let tool = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(kill(tool, 0) != 0 && errno == ESRCH, "the tool still runs")
            #expect(try provision.keys().isEmpty)
        }
    }

    /// A device with a new key needs a reason to be believed. That it was flashed is one, whoever did it.
    @Test func itCountsAsFlashed() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            // Its ID stays, its key and what it stored are gone.
            let device = provision.home.appending(path: "emulated/native-1/device")
            for name in try FileManager.default.contentsOfDirectory(atPath: device.path)
            where name != "device-id" {
                try FileManager.default.removeItem(at: device.appending(path: name))
            }
            let board = try EmulatedBoard(provision, "native", "--firmware", image)
            defer { _ = board.interrupt() }
            try provision("enroll", "--platform", "native", "--port", board.port)
                .expectError("replacement-unproven", status: 8)
            let result = try provision.run(
                Executable.url, arguments(board.port, ["--", "/bin/true"]))
            #expect(result.status == 0, "\(result.standardError)")
            let record = try result.json()
            #expect((record["superseded"] as? [String])?.count == 1)
            #expect(try provision.keys()["revoked"]?.count == 1)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test func whatCanNotBeIsRefusedBeforeAnythingRuns() throws {
        try Executable.withHome { provision in
            let trace = provision.home.appending(path: "trace").path
            let word = try provision(
                "run", "--platform", "native", "--port", "/dev/ttyACM7", "--", "/usr/bin/touch",
                trace, "{prot}")
            word.expectError("usage", status: 2, "{prot}")
            #expect(word.hint?.contains("did you mean {port}?") == true)
            // Those of [identify] have no value where a board is flashed.
            for name in ["address", "words", "length", "script", "scratch"] {
                let foreign = try provision(
                    "run", "--platform", "native", "--port", "/dev/ttyACM7", "--",
                    "/usr/bin/touch", trace, "{\(name)}")
                foreign.expectError("usage", status: 2, "{\(name)}")
                #expect(
                    foreign.hint?.contains(
                        "there are {baud}, {board}, {chip}, {image}, {package}, {port}, {probe}, {usb};"
                    ) == true, "\(foreign.standardError)")
            }
            for platform in ["native", "microbit-qemu"] {
                try provision("run", "--platform", platform, "--", "/usr/bin/touch", trace)
                    .expectError("usage", status: 2, "\(platform) is emulated by the run itself")
            }
            #expect(!FileManager.default.fileExists(atPath: trace))
        }
    }

    /// With several boards it is run for each, with that board's port.
    @Test func eachOfSeveralBoardsIsFlashed() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let boards = try ["one", "two"].map {
                try EmulatedBoard(provision, "native", "--firmware", image, "--instance", $0)
            }
            defer { for board in boards { _ = board.interrupt() } }
            let seen = provision.home.appending(path: "seen").path
            let result = try provision.run(
                Executable.url,
                ["run", "--json"] + boards.flatMap { ["--board", "native@\($0.port)"] }
                    + ["--", "/bin/sh", "-c", #"echo "$1" >> "$0""#, seen, "{port}"])
            #expect(result.status == 0, "\(result.standardError)")
            let ports = try String(contentsOfFile: seen, encoding: .utf8).split(separator: "\n")
            #expect(Set(ports.map(String.init)) == Set(boards.map(\.port)))
            #expect(try provision.keys()["active"]?.count == 2)
        }
    }

    @Test func aDryRunNamesIt() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--platform", "native", "--port", "/dev/ttyACM7", "--dry-run", "--", "west",
                "flash", "--runner", "nrfjprog")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.text.contains("run west flash --runner nrfjprog on an image of its own"))
            #expect(!result.text.contains("build"))
        }
    }

    /// `provision run --log flasher -- probe-rs run …`
    @Test func itMayGoOnAndPrintTheLog() throws {
        try OneWayDesk.with { desk in
            let log = try desk.file("boot.log", try desk.bootLog())
            let result = try desk.run([
                "run", "--platform", "native", "--port", "/dev/null", "--log", "flasher",
                "--detach", "--json", "--", "/bin/sh", "-c",
                "cat '\(log)'; exec tail -f /dev/null",
            ])
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["report"] as? String == "provision")
            #expect(try desk.provision.keys()["active"]?.count == 1)
        }
    }
}
