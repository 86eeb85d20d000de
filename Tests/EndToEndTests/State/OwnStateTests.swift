import Foundation
import Testing

/// The state directory, as `provision` itself must not spoil it and must not misread it.
@Suite struct OwnStateTests {
    private static let own = [
        "authority/root.key", "authority/new.txt", "authority/../authority/root.crt",
        "registry.sqlite", "registry.sqlite-head", "registry.sqlite-new", "emulated/mine",
        "locks/x", "link-to-key", "link-to-nothing", "link/issuing.key", "hard-link",
        "./authority/cwt.key",
    ]

    @Test(arguments: own) func noResultReplacesItsOwnFiles(_ name: String) throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let home = provision.home.path
            mkdir(home + "/locks", 0o700)
            symlink("authority/root.key", home + "/link-to-key")
            symlink("authority/nothing", home + "/link-to-nothing")
            symlink("authority", home + "/link")
            link(home + "/authority/issuing.key", home + "/hard-link")
            let before = try contents(of: home)
            let path = "\(home)/\(name)"
            for arguments in [
                ["export", "--format", "csv", "--output", path],
                try Executable.nativeRun("--report", path),
            ] {
                let result = try provision.run(Executable.url, arguments)
                result.expectError("usage", status: 2, path, home)
            }
            // From within it, under a relative name.
            let result = try provision.run(
                Executable.url, ["export", "--format", "csv", "--output", name],
                in: provision.home)
            result.expectError("usage", status: 2, name, home)
            #expect(try contents(of: home) == before)
            try provision.expectToContinue()
        }
    }

    @Test func aFileOfTheUsersOwnMayLieThere() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let path = provision.home.path + "/keys.csv"
            for _ in 0..<2 {
                let result = try provision("export", "--format", "csv", "--output", path)
                #expect(result.status == 0, "\(result.standardError)")
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("thumbprint"))
        }
    }

    /// What stands in the files of the authority and under the names of links, and what files there are.
    private func contents(of home: String) throws -> [String: Data?] {
        let files = FileManager.default
        var contents: [String: Data?] = [:]
        // SQLite comes and goes with its journal, and moves it into the database; that this is still one,
        // the next run shows.
        for name in try files.subpathsOfDirectory(atPath: home)
        where !["registry.sqlite-wal", "registry.sqlite-shm"].contains(name) {
            contents[name] =
                name == "registry.sqlite" ? Data() : files.contents(atPath: home + "/" + name)
        }
        return contents
    }

    /// Folders whose names are no text are others than Foundation would make of them.
    @Test func aPathThatIsNoTextIsRefused() throws {
        try Executable.withHome { provision in
            for variable in ["PROVISION_HOME", "XDG_STATE_HOME", "HOME"] {
                let script = """
                    name="$PROVISION_HOME/$(printf '\\377\\376')"
                    unset PROVISION_HOME XDG_STATE_HOME
                    exec env \(variable)="$name" "$0" devices
                    """
                let result = try provision.run(
                    URL(filePath: "/bin/sh"), ["-c", script, Executable.url.path])
                result.expectError("usage", status: 2, variable, "not UTF-8")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: provision.home.path) == [])
        }
    }

    @Test func doctorSeesWhatIsLost() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let home = provision.home.path
            func doctor() throws -> (status: Int32, lines: [String]) {
                let result = try provision("doctor")
                let lines = result.text.split(separator: "\n").map(String.init)
                return (result.status, lines.filter { $0.hasPrefix("!!") })
            }
            #expect(try doctor().lines == [])
            for (file, text) in [
                ("registry.sqlite", "registry.sqlite is gone, and"),
                ("registry.sqlite-head", "registry.sqlite-head is missing"),
                ("authority/root.crt", "authority/root.crt"),
            ] {
                let path = "\(home)/\(file)"
                try FileManager.default.moveItem(atPath: path, toPath: home + "/aside")
                let (status, lines) = try doctor()
                #expect(status == 1)
                #expect(lines.count == 1 && lines.first?.contains(text) == true, "\(lines)")
                try FileManager.default.moveItem(atPath: home + "/aside", toPath: path)
            }
            #expect(try doctor().lines == [])
        }
    }

    /// A key that was revoked is active in the older copy.
    @Test func anOlderCopyWithoutItsNoteIsNotCalledWhole() throws {
        try Executable.withHome { provision in
            let device = try #require(try provision.provisionNative()["device"] as? String)
            let registry = provision.home.path + "/registry.sqlite"
            let older = try Data(contentsOf: URL(filePath: registry))
            let revoked = try provision("revoke", "--device", device, "--reason", "key-compromise")
            #expect(revoked.status == 0, "\(revoked.standardError)")
            try older.write(to: URL(filePath: registry))
            try Data("garbage\n".utf8).write(to: URL(filePath: registry + "-head"))

            let keys = try provision("keys")
            #expect(keys.status == 0)
            #expect(keys.standardError.components(separatedBy: "registry.sqlite-head").count == 2)
            let verification = try provision("registry", "verify")
            verification.expectError("registry-damaged", status: 8, "registry.sqlite-head")
            // The end that the hint names is what the user accepts.
            let hint = try #require(verification.hint)
            let words = hint.split(whereSeparator: \.isWhitespace).map(String.init)
            let option = try #require(words.firstIndex(of: "--head"))
            let accepted = try provision("registry", "verify", "--head", words[option + 1])
            #expect(accepted.status == 0, "\(accepted.standardError)")
            #expect(try provision("registry", "verify").status == 0)
            #expect(try provision("keys").standardError == "")
        }
    }

    @Test func aPipeInPlaceOfTheNoteHoldsNobodyUp() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let note = provision.home.path + "/registry.sqlite-head"
            unlink(note)
            mkfifo(note, 0o600)
            let run = try provision.run(Executable.url, try Executable.nativeRun())
            #expect(run.status == 0, "\(run.standardError)")
            #expect(run.standardError.contains("\(note) can't be read: it is no plain file"))
        }
    }
}
