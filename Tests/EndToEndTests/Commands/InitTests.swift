import Foundation
import Testing

/// `provision init`: what it makes, and what it leaves alone.
@Suite struct InitTests {
    /// Every one that is in the package, whoever has added it.
    private static func templates(_ provision: Executable) throws -> [String: String] {
        let list = try provision("init", "--list", "--json").json()["templates"]
        let pairs = try #require(list as? [[String: String]]).map { entry in
            (try #require(entry["name"]), try #require(entry["path"]))
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func itListsTheTemplates() throws {
        try Executable.withHome { provision in
            let names = try Self.templates(provision).keys.sorted()
            #expect(names.contains("embedded-swift") && names.contains("hooks/cargo"))
            #expect(names.count >= 12)
            let table = try provision("init", "--list").text.split(separator: "\n").dropFirst()
            #expect(table.map { String($0.split(separator: " ")[0]) } == names)
        }
    }

    /// All of each, but what a build has left, and with no path that leads out of it to nowhere.
    /// What a shell asks for when a key is pressed.
    @Test func whatIsBegunIsCompleted() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "---completion", "init", "--", "positional@0", "2", "4", "provision", "init", "hook"
            )
            #expect(result.status == 0, "\(result.standardError)")
            let names = result.text.split(separator: "\n").map(String.init)
            #expect(Set(names) == Set(try Self.templates(provision).keys))

            // And what `check` takes: a name, or a path that is begun.
            let folder = provision.home.appending(path: "boards")
            try FileManager.default.createDirectory(
                at: folder.appending(path: "more"), withIntermediateDirectories: true)
            for file in ["mine.toml", "provision-platform-mine", "other.txt"] {
                try Data().write(to: folder.appending(path: file))
            }
            let begun = folder.path + "/"
            let subjects = try provision(
                "---completion", "check", "--", "positional@0", "2", "\(begun.count)", "provision",
                "check", begun
            ).text.split(separator: "\n").map(String.init)
            #expect(subjects.contains("microbit"))
            #expect(
                subjects.filter { $0.hasPrefix(begun) }
                    == ["mine.toml", "more/", "provision-platform-mine"].map { begun + $0 })
        }
    }

    @Test func eachIsCopiedAsItIs() throws {
        try Executable.withHome { provision in
            for (name, path) in try Self.templates(provision) {
                let copy = provision.home.appending(path: "copies/\(name)")
                let result = try provision("init", name, copy.path, "--json")
                #expect(result.status == 0, "\(result.standardError)")
                let files = try #require(try result.json()["files"] as? [String])
                #expect(!files.isEmpty)
                #expect(!files.contains { $0.contains(".build/") || $0.hasPrefix("Vendor/") })
                for file in files where !file.hasPrefix("device/") {
                    let manager = FileManager.default
                    let source = "\(path)/\(file)"
                    let isManifest = file.hasSuffix("Package.swift") || file.hasSuffix("Cargo.toml")
                    #expect(
                        isManifest
                            || manager.contentsEqual(
                                atPath: source, andPath: "\(copy.path)/\(file)"),
                        "\(name)/\(file)")
                    #expect(
                        manager.isExecutableFile(atPath: source)
                            == manager.isExecutableFile(atPath: "\(copy.path)/\(file)"))
                }
            }
        }
    }

    /// Under a name that has spaces. SwiftPM itself makes nothing of quotation marks in a path.
    @Test func theFirmwareBuildsAndProvisionsAtOnce() throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "my own firmware")
            try #require(try provision("init", "embedded-swift", folder.path).status == 0)
            let manifest = try String(
                contentsOf: folder.appending(path: "Package.swift"), encoding: .utf8)
            #expect(
                manifest.contains(
                    ".package(name: \"provision\", path: \"\(Executable.packageRoot.path)\")"))
            let result = try provision(
                "run", "--platform", "native", "--package-path", folder.path, "--detach", "--json")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["isNewKey"] as? Bool == true)
        }
    }

    @Test func thePlatformFileProvisionsAtOnce() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "boards").path
            try #require(try provision("init", "platform/file", folder).status == 0)
            let board = ["my-board", "--platforms", folder]
            let check = try provision.run(Executable.url, ["check"] + board)
            #expect(check.status == 0, "\(check.text)\(check.standardError)")
            let run = try provision.run(
                Executable.url,
                ["run", "--platform"] + board + ["--firmware", image, "--detach", "--json"])
            #expect(run.status == 0, "\(run.standardError)")
            #expect(try run.json()["isNewKey"] as? Bool == true)
        }
    }

    @Test func nothingThatIsThereIsChanged() throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "mine")
            let files = FileManager.default
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            // An empty one is as good as none, and is filled: somebody may stand in it.
            let number = try files.attributesOfItem(atPath: folder.path)[.systemFileNumber]
            try #require(try provision("init", "hooks/make", folder.path).status == 0)
            let later = try files.attributesOfItem(atPath: folder.path)[.systemFileNumber]
            #expect(number as? Int == later as? Int && number is Int)
            let main = folder.appending(path: "main.c")
            try Data("mine".utf8).write(to: main)
            try provision("init", "hooks/make", folder.path)
                .expectError("usage", status: 2, folder.path, "is not empty")
            #expect(try Data(contentsOf: main) == Data("mine".utf8))
            try provision("init", "hooks/make", main.path)
                .expectError("usage", status: 2, main.path, "no folder")
            try provision("init", "hooks/make", "/proc/nowhere/mine")
                .expectError(
                    "usage", status: 2, "/proc/nowhere/mine can't be made: No such file")
            try provision("init", "hooks/make", main.path + "/mine")
                .expectError("usage", status: 2, "/mine can't be made: Not a directory")
            let entries = try files.contentsOfDirectory(atPath: provision.home.path)
            #expect(!entries.contains { $0.hasPrefix(".provision-init") }, "\(entries)")
        }
    }

    @Test func anUnknownTemplateIsNamed() throws {
        try Executable.withHome { provision in
            let result = try provision("init", "hooks/carg")
            result.expectError("usage", status: 2, "no template is called \"hooks/carg\"")
            #expect(result.hint?.contains("did you mean hooks/cargo?") == true)
            try provision("init").expectError("usage", status: 2, "name a template")
            try provision("init", "make", "").expectError("usage", status: 2, "no name")
            try provision("init", "make", "--list").expectError("usage", status: 2, "--list")
        }
    }

    /// A folder of one's own, in the place of the installed ones.
    @Test func itsPlaceMayBeNamed() throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "own")
            func make(_ name: String, _ text: String) throws {
                let file = folder.appending(path: name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
            }
            try make("board/README.md", "# A \u{1b}[31mboard\n")
            try make("board/run.sh", "echo\n")
            try make("group/README.md", "# A group\n")
            try make("group/one/run.sh", "")
            try FileManager.default.createDirectory(
                at: folder.appending(path: "empty"), withIntermediateDirectories: true)
            let link = folder.appending(path: "board/passwd").path
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: "/etc/passwd")
            #expect(mkfifo(folder.appending(path: "board/pipe").path, 0o600) == 0)
            func run(_ arguments: String...) throws -> Executable.Result {
                try provision(
                    in: .environment(["PROVISION_TEMPLATES": folder.path]), arguments)
            }
            let list = try run("init", "--list")
            let names = list.text.split(separator: "\n").map { $0.split(separator: " ")[0] }
            #expect(names == ["TEMPLATE", "board", "group/one"])
            #expect(!list.text.contains("\u{1b}") && list.text.contains("board"))
            let copy = provision.home.appending(path: "copy").path
            let made = try run("init", "board", copy, "--json")
            #expect(made.status == 0, "\(made.standardError)")
            #expect(try made.json()["files"] as? [String] == ["README.md", "run.sh"])
            try make("board/large", String(repeating: "x", count: 5 << 20))
            try run("init", "board", copy + "2").expectError("usage", status: 2, "over 4 MiB")
            #expect(!FileManager.default.fileExists(atPath: copy + "2"))

            try provision(
                in: .environment(["PROVISION_TEMPLATES": "/nonexistent"]), ["init", "--list"]
            ).expectError("usage", status: 2, "/nonexistent", "PROVISION_TEMPLATES")
        }
    }

    /// Nobody gets a program with another one's rights, nor a folder of nothing, by copying.
    @Test func whatATemplateMayNotGive() throws {
        try Executable.withHome { provision in
            let own = provision.home.appending(path: "own")
            let files = FileManager.default
            for name in ["board", "links"] {
                try files.createDirectory(
                    at: own.appending(path: name), withIntermediateDirectories: true)
            }
            let tool = own.appending(path: "board/tool").path
            try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: tool))
            try #require(chmod(tool, 0o6755) == 0)
            try files.createSymbolicLink(
                atPath: own.path + "/links/passwd", withDestinationPath: "/etc/passwd")
            let variables = Surrounding.environment(["PROVISION_TEMPLATES": own.path])
            let copy = provision.home.path + "/copy"
            let made = try provision(in: variables, ["init", "board", copy])
            #expect(made.status == 0, "\(made.standardError)")
            #expect(made.text.hasSuffix(": 1 file\n"))
            let mode = try files.attributesOfItem(atPath: copy + "/tool")[.posixPermissions]
            #expect(mode as? Int == 0o755)
            try provision(in: variables, ["init", "links", copy + "2"])
                .expectError("usage", status: 2, "links", "has no files")
            #expect(!files.fileExists(atPath: copy + "2"))
        }
    }

    /// SIGTERM in the middle: neither a draft is left, nor a folder that was made for it.
    @Test func anInterruptedCopyLeavesNothing() throws {
        try Executable.withHome { scratch in
            let library = try PreloadedLibrary(
                "terminating", in: scratch.home,
                """
                #include <signal.h>
                #include <sys/stat.h>

                int chmod(const char *path, mode_t mode) { return raise(SIGTERM); }
                int fchmod(int file, mode_t mode) { return raise(SIGTERM); }
                int fchmodat(int folder, const char *path, mode_t mode, int flags) {
                    return raise(SIGTERM);
                }
                """)
            try Executable.withHome { provision in
                let files = FileManager.default
                let empty = provision.home.path + "/empty"
                try files.createDirectory(atPath: empty, withIntermediateDirectories: true)
                for place in [empty, provision.home.path + "/some/folders/copy"] {
                    let result = try provision(
                        in: library.preloaded(), ["init", "hooks/make", place])
                    #expect(result.status == 130, "\(result.standardError)")
                    #expect(result.errorCode == "interrupted")
                    #expect(try files.subpathsOfDirectory(atPath: provision.home.path) == ["empty"])
                }
                try #require(try provision("init", "hooks/make", empty).status == 0)
            }
        }
    }

    /// An executable that was copied somewhere alone says what to do.
    @Test func anExecutableWithoutTemplatesSaysSo() throws {
        try Executable.withHome { provision in
            let program = provision.home.appending(path: "bin/provision")
            try FileManager.default.createDirectory(
                at: program.deletingLastPathComponent(), withIntermediateDirectories: true)
            // In a process of its own: what this one has open for writing, a child of another test's has, too.
            _ = try provision.run(
                URL(filePath: "/bin/cp"), [Executable.url.path, program.path])
            let result = try provision.run(program, ["init", "--list"])
            result.expectError("usage", status: 2, "there are no templates beside")
            #expect(result.hint?.contains("Scripts/install") == true)
        }
    }
}
