import Foundation
import Testing

/// Places for results where none can be: found out before anything is done.
@Suite struct OutputPlaceTests {
    @Test(arguments: [
        (["run", "--platform", "native", "--report", ""], "--report names no file"),
        (["enroll", "--platform", "native", "--report", ""], "--report names no file"),
        (["enroll", "--platform", "native", "--port", ""], "--port names no port"),
        (["enroll", "--platform", "native", "--key-id", "0"], "--key-id is 1 to 4294967295"),
        (["export", "--format", "csv", "--output", ""], "--output names no file"),
    ])
    func anEmptyNameIsWrongUsage(_ command: [String], _ reason: String) throws {
        try Executable.withHome { provision in
            try provision.run(Executable.url, command).expectError("usage", status: 2, reason)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: provision.home.path).isEmpty)
        }
    }

    /// Foundation's own way to a path's folder ends the process for these.
    @Test func aNameMayBeOneCharacter() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "here")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            func run(_ arguments: String...) throws -> Executable.Result {
                try provision.run(Executable.url, arguments, in: folder)
            }
            let first = try run(
                "run", "--platform", "native", "--firmware", image, "--detach", "--report", "r")
            #expect(first.status == 0, "\(first.standardError)")
            for name in ["k", "./-", "ü"] {
                let result = try run("export", "--format", "csv", "--output", name)
                #expect(result.status == 0, "\(result.standardError)")
            }
            try run("export", "--format", "csv", "--output", ".").expectError("usage", status: 2)
            try run("export", "--format", "csv", "--output", "x/").expectError("usage", status: 2)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(names.sorted() == ["-", "k", "r", "ü"])
        }
    }

    /// As with a log that is read from standard input; a file of that name has its folder before it.
    @Test func aDashIsStandardOutput() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            for format in ["csv", "keyset"] {
                let expected = try provision("export", "--format", format)
                let result = try provision.run(
                    Executable.url, ["export", "--format", format, "--output", "-"],
                    in: provision.home)
                #expect(result.status == 0, "\(result.standardError)")
                #expect(!expected.standardOutput.isEmpty)
                #expect(result.standardOutput == expected.standardOutput)
            }
            #expect(!FileManager.default.fileExists(atPath: provision.home.path + "/-"))
            try provision("export", "--format", "csv", "--watch", "--output", "-")
                .expectError("usage", status: 2, "--watch needs a file")
        }
    }

    @Test func credentialsGoToAFolderThatCanBe() throws {
        try OneWayDesk.with { desk in
            let log = try desk.file("log", try desk.bootLog())
            #expect(try desk.provision("authority", "create").status == 0)
            let file = try desk.file("file", "")
            let home = desk.provision.home.path
            for place in [
                "/dev/null", "/dev/null/below", file, file + "/below", home + "/authority",
                home + "/authority/below",
            ] {
                try desk.run([
                    "enroll", "--platform", "native", "--log", log, "--credentials", "cwt",
                    "--output-credentials", place,
                ]).expectError("usage", status: 2, place)
            }
            #expect(try desk.provision.keys().isEmpty)
        }
    }

    @Test func noListIsNumberedForAFolder() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let events = try provision("registry", "log").text
            for place in [provision.home.path, provision.home.path + "/", "/dev/null/below"] {
                try provision("export", "--format", "crl", "--output", place)
                    .expectError("usage", status: 2, place)
            }
            #expect(try provision("registry", "log").text == events)
        }
    }

    @Test func aPipeWithoutAReaderWaitsUntilCtrlC() throws {
        try Executable.withHome { provision in
            let pipe = provision.home.path + "/pipe"
            try #require(mkfifo(pipe, 0o600) == 0)
            let run = try BackgroundRun(
                provision, try Executable.nativeRun("--report", pipe))
            #expect(run.prints("thumbprint"), "\(run.errorOutput)")
            #expect(run.says("waiting for somebody to read \(pipe)"), "\(run.errorOutput)")
            #expect(run.interrupt() == 130)
            #expect(run.errorOutput.contains("interrupted while nobody reads \(pipe)"))
            try provision.expectToContinue()
        }
    }

    /// Leaving a watch is a good end, but not where nothing could be written.
    @Test func aWatchWithoutAReaderHasNotEndedWell() throws {
        let run = try Executable.nativeRun()
        try Executable.withHome { provision in
            try #require(try provision.run(Executable.url, run).status == 0)
            let pipe = provision.home.path + "/pipe"
            try #require(mkfifo(pipe, 0o600) == 0)
            let watch = try BackgroundRun(
                provision, ["export", "--format", "csv", "--watch", "--output", pipe])
            #expect(watch.says("waiting for somebody to read \(pipe)"), "\(watch.errorOutput)")
            #expect(watch.interrupt() == 130)
            #expect(watch.errorOutput.contains("interrupted while nobody reads \(pipe)"))
        }
    }

    /// What never ends is refused before it is read.
    @Test func anImageIsAFile() throws {
        try Executable.withHome { provision in
            for image in ["/dev/zero", "/dev"] {
                let result = try provision(
                    "run", "--platform", "native", "--firmware", image, "--detach")
                result.expectError("image-invalid", status: 3, image)
                #expect((result.peakMemory ?? 0) < (Executable.isSanitized ? 200_000 : 100_000))
            }
        }
    }

    @Test func aLongArgumentIsNotEchoedWhole() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "enroll", "--platform", String(repeating: "x", count: 100_000))
            #expect(result.status == 2)
            #expect(result.standardError.utf8.count < 10_000)
            #expect(result.standardError.contains("xxx… (1000"))
            let document = try provision(
                "enroll", "--platform", String(repeating: "x", count: 100_000), "--json")
            #expect(document.standardOutput.count < 10_000)
            let error = try document.json()["error"] as? [String: Any]
            #expect((error?["reason"] as? String)?.contains("xxx… (1000") == true)
        }
    }
}
