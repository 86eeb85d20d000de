import Foundation
import Testing

/// The native device, provisioned through each of the adapters to copy.
@Suite struct AdapterRunTests {
    @Test(arguments: AdapterTemplate.allCases)
    func aProgramOnThePathIsEnough(_ template: AdapterTemplate) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let place = try template.install(in: provision.home)
            let board = try NativeBoardFolder(in: provision.home)
            defer { board.stop() }
            let arguments = [
                "run", "--platform", "example", "--firmware", image, "--port", board.path,
                "--detach", "--json",
            ]
            let first = try provision(in: .searching(place), arguments)
            try #require(first.status == 0, "\(first.standardError)")
            #expect(try first.json()["device"] as? String == board.id)
            #expect(try first.json()["isNewKey"] as? Bool == true)
            #expect(first.standardError.contains("the probe reads \(board.id)"))
            #expect(board.flashCount == 1)

            let second = try provision(in: .searching(place), arguments)
            #expect(second.status == 0, "\(second.standardError)")
            #expect(try second.json()["isNewKey"] as? Bool == false)

            let third = try provision(in: .searching(place), arguments + ["--erase"])
            #expect(third.status == 0, "\(third.standardError)")
            #expect(try third.json()["isNewKey"] as? Bool == true)
            #expect(try provision.keys().mapValues(\.count) == ["active": 1, "revoked": 1])
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// A platform file says the rest, and the program lies beside it.
    @Test(arguments: AdapterTemplate.allCases)
    func aPlatformFileNamesItsAdapter(_ template: AdapterTemplate) throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let place = try template.install(in: provision.home)
            let text = """
                name = "mine"
                description = "a board of my own"
                board = "native"

                [adapter]
                name = "example"

                [credentials]
                types = ["cwt"]
                """
            try Data(text.utf8).write(to: place.appending(path: "mine.toml"))
            let board = try NativeBoardFolder(in: provision.home)
            defer { board.stop() }
            let result = try provision(
                "run", "--platform", "mine", "--platforms", place.path, "--firmware", image,
                "--port", board.path, "--detach")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.text.contains("cwt"))
            #expect(!result.text.contains("x509"))
        }
    }

    /// Ctrl-C, wherever the adapter is.
    @Test(arguments: ["hello", "flash", "identify", "open"], [SIGINT, SIGTERM])
    func anInterruptedRunLeavesNoAdapterBehind(_ request: String, _ signal: Int32) throws {
        try Executable.withHome { provision in
            let mark = provision.home.appending(path: "mark").path
            let adapter = HostileAdapter(
                "slow", at: request, "interrupted", 130,
                "open('\(mark)', 'w').close(); time.sleep(600)")
            let place = try adapter.install(in: provision.home)
            try Data(
                """
                name = "hostile"
                description = "a board that takes its time"
                board = "hostile"
                adapter = { name = "hostile" }
                timeouts = { boot-ms = 600000, connect-ms = 600000, probe-ms = 600000 }
                """.utf8
            ).write(to: place.appending(path: "hostile.toml"))
            let leftovers = Leftovers(of: provision)
            let run = try BackgroundRun(
                provision,
                [
                    "run", "--platform", "hostile", "--platforms", place.path, "--firmware",
                    "/bin/true", "--detach",
                ])
            try #require(run.waits(for: mark), "\(run.errorOutput)")
            #expect(run.interrupt(with: signal) == 130, "\(run.errorOutput)")
            #expect(leftovers.processes() == [])
            #expect(try provision.isRecordSound())
        }
    }

    @Test(arguments: AdapterTemplate.allCases)
    func aKilledRunLeavesNoAdapterBehind(_ template: AdapterTemplate) throws {
        try Executable.withHome { provision in
            let place = try template.install(in: provision.home)
            try Data(
                """
                name = "example"
                description = "a board that says nothing"
                board = "native"
                adapter = { name = "example" }
                timeouts = { boot-ms = 60000 }
                """.utf8
            ).write(to: place.appending(path: "example.toml"))
            // Nobody has flashed it: it is silent.
            let board = try NativeBoardFolder(in: provision.home)
            defer { board.stop() }
            let leftovers = Leftovers(of: provision)
            let run = try BackgroundRun(
                provision,
                [
                    "enroll", "--platform", "example", "--platforms", place.path, "--port",
                    board.path, "-v",
                ])
            #expect(leftovers.include("provision-platform-example", within: 60))
            usleep(500_000)
            kill(run.processID, SIGKILL)
            #expect(leftovers.processes() == [])
        }
    }
}

/// Where an adapter is looked for.
@Suite struct AdapterSearchTests {
    /// Whoever stands in a folder with somebody's programs has not asked for them.
    @Test(arguments: [".", "", "/usr/bin:", ":/usr/bin", "adapters", "/proc/self/cwd", "./"])
    func neverTheCurrentFolder(_ path: String) throws {
        try Executable.withHome { provision in
            let place = try AdapterTemplate.shell.install(in: provision.home)
            let result = try provision(
                in: .environment(["PATH": path]),
                ["platforms", "example", "--package-path", provision.home.path], folder: place)
            result.expectError("platform-unknown", status: 2, "example")
        }
    }

    @Test func neverTheCurrentFolderBesideAFile() throws {
        try Executable.withHome { provision in
            let place = try AdapterTemplate.shell.install(in: provision.home)
            try Data(
                """
                name = "mine"
                description = "a board of my own"
                board = "native"
                adapter = { name = "example" }
                """.utf8
            ).write(to: place.appending(path: "mine.toml"))
            for folder in [".", place.path] {
                let result = try provision.run(
                    Executable.url, ["check", "mine", "--platforms", folder], in: place)
                result.expectError("adapter-failed", status: 5, "provision-platform-example")
            }
            let result = try provision("check", "mine", "--platforms", place.path)
            #expect(result.status == 0, "\(result.text)\(result.standardError)")
        }
    }

    @Test func anAbsoluteFolderOfThePath() throws {
        try Executable.withHome { provision in
            let place = try AdapterTemplate.shell.install(in: provision.home)
            let result = try provision(in: .searching(place), ["platforms", "example"])
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.text.contains("by an adapter in a shell"))
            #expect(result.text.contains("by its adapter, else by the firmware alone"))
            // Also where it is of no use.
            try provision(in: .searching(place), ["emulate", "example"])
                .expectError("usage", status: 2, "example is real hardware")
        }
    }

    @Test func aFileThatMayNotBeRunIsNamed() throws {
        try Executable.withHome { provision in
            let file = provision.home.appending(path: "provision-platform-example").path
            try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: file))
            for command in [["platforms"], ["check"], ["run", "--platform"]] {
                let result = try provision(in: .searching(provision.home), command + ["example"])
                result.expectError("platform-unknown", status: 2, "example")
                #expect(result.hint?.contains("chmod +x \(file)") == true)
            }
        }
    }

    /// Whoever unpacks an archive and stands in it has not asked for its programs, by whatever name `PATH` has for
    /// that folder.
    @Test(arguments: [".", "", "/proc/self/cwd", "/proc/self/cwd/.", "LINK", "FOLDER"])
    func theCurrentFolderIsNeverLookedInto(_ entry: String) throws {
        try Executable.withHome { provision in
            let place = try AdapterTemplate.shell.install(in: provision.home)
            let link = provision.home.appending(path: "link")
            try FileManager.default.createSymbolicLink(
                atPath: link.path, withDestinationPath: place.path)
            let name = entry.replacing("LINK", with: link.path).replacing(
                "FOLDER", with: place.path)
            let path = Surrounding.environment(["PATH": "/usr/bin:/bin:\(name)"])
            for command in ["platforms", "check"] {
                let result = try provision(in: path, [command, "example"], folder: place)
                result.expectError("platform-unknown", status: 2, "example")
                #expect(result.hint?.contains("current folder, which is never looked into") == true)
            }
            guard name.hasPrefix(provision.home.path) else { return }
            // Elsewhere the same entry is one like others.
            let found = try provision(in: path, ["platforms", "example"], folder: provision.home)
            #expect(found.status == 0, "\(found.standardError)")
        }
    }
}
