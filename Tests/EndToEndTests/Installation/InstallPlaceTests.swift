import Foundation
import Testing

/// `Scripts/install` where folders are links, and where it does not come to its end.
@Suite struct InstallPlaceTests {
    private static let script = Executable.packageRoot.appending(path: "Scripts/install").path

    /// What an installation asks of its executable, in a shell: it is quick, and says which version it is.
    private func executable(_ version: Int, _ provision: Executable) throws -> String {
        let file = provision.home.appending(path: "version-\(version)")
        let text = """
            #!/bin/sh
            case $1 in
            --version) echo \(version) ;;
            help) printf 'OVERVIEW: x\\n\\nSUBCOMMANDS:\\n  run  x\\n  only-in-\(version)  x\\n\\n' ;;
            *) echo "$2" ;;
            esac

            """
        try write(text, file, provision)
        return file.path
    }

    /// An executable text. In a process of its own: see `InitTests`.
    /// An executable. Another process writes it: what this one has open, a child of another test's has, too, and
    /// nobody can run it then.
    private func write(_ text: String, _ file: URL, _ provision: Executable) throws {
        let draft = provision.home.appending(path: "draft")
        try Data(text.utf8).write(to: draft)
        _ = try provision.run(
            URL(filePath: "/usr/bin/install"), ["-D", "-m", "755", draft.path, file.path])
    }

    private func entries(_ folder: URL) -> Set<String> {
        Set((try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? [])
    }

    private func install(
        _ version: Int, _ prefix: URL, _ provision: Executable
    ) throws -> Executable.Result {
        try provision.run(
            URL(filePath: Self.script),
            ["--prefix", prefix.path, "--executable", try executable(version, provision)])
    }

    private func version(_ prefix: URL, _ provision: Executable) throws -> String {
        try provision.run(prefix.appending(path: "bin/provision"), ["--version"]).text
    }

    /// As on a full disk: whatever program says why, it is the installation's error.
    @Test func aFailedWriteIsAnErrorOfTheInstallation() throws {
        try Executable.withHome { provision in
            let prefix = provision.home.appending(path: "prefix")
            #expect(try install(1, prefix, provision).status == 0)
            let earlier = entries(prefix)
            // Blocks of 512 bytes: the executable fits, not all of the package.
            let result = try provision.run(
                URL(filePath: "/bin/sh"),
                [
                    "-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh", Self.script, "--prefix",
                    prefix.path, "--executable", try executable(2, provision),
                ])
            #expect(result.status == 2, "\(result.standardError)")
            let lines = result.standardError.split(separator: "\n").suffix(2)
            #expect(lines.first?.hasPrefix("install: error: the installation into") == true)
            #expect(lines.last?.hasPrefix("install: hint: is there room") == true)
            #expect(entries(prefix) == earlier)
            #expect(try version(prefix, provision) == "1\n")
        }
    }

    /// As on systems where /bin is one to /usr/bin.
    @Test func aLinkedFolderStaysLinked() throws {
        try Executable.withHome { provision in
            let files = FileManager.default
            let (prefix, real) = (
                provision.home.appending(path: "prefix"), provision.home.appending(path: "real")
            )
            let elsewhere = provision.home.appending(path: "elsewhere")
            for folder in [real.appending(path: "usr/bin"), elsewhere] {
                try files.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            let links = [
                (prefix.path, "real"), (real.path + "/bin", "usr/bin"),
                (real.path + "/share", elsewhere.path),
            ]
            for (link, target) in links {
                try files.createSymbolicLink(atPath: link, withDestinationPath: target)
            }
            func expectLinks() throws {
                for (link, target) in links {
                    #expect(try files.destinationOfSymbolicLink(atPath: link) == target)
                }
            }
            for number in 1...2 {
                let result = try install(number, prefix, provision)
                try #require(result.status == 0, "\(result.standardError)")
                try expectLinks()
                #expect(try version(prefix, provision) == "\(number)\n")
            }
            #expect(entries(real) == ["bin", "share", "usr", "usr/bin", "usr/bin/provision"])
            #expect(entries(elsewhere).contains("provision/templates/hooks/make/Makefile"))
            #expect(entries(elsewhere).contains("man/man1/provision-only-in-2.1"))
            #expect(!entries(elsewhere).contains("man/man1/provision-only-in-1.1"))

            let result = try provision.run(
                URL(filePath: Self.script), ["--prefix", prefix.path, "--uninstall"])
            #expect(result.status == 0, "\(result.standardError)")
            try expectLinks()
            #expect(entries(real) == ["bin", "share", "usr", "usr/bin"])
            #expect(entries(elsewhere).isEmpty)
        }
    }

    /// A program that the installation runs, which of its calls ends the installation there, and whether the
    /// program ends, too, as by Ctrl-C.
    static let moments = [
        ("install", 1, true), ("tar", 1, false), ("tar", 4, true), ("mv", 1, false),
        ("mv", 2, true), ("mv", 3, false), ("mv", 9, true), ("comm", 1, true), ("cp", 2, false),
    ]

    @Test(arguments: moments)
    func whatIsInterruptedLeavesOneOfBoth(
        _ program: String, _ call: Int, _ endsToo: Bool
    ) throws {
        try Executable.withHome { provision in
            let prefix = provision.home.appending(path: "prefix")
            try #require(try install(1, prefix, provision).status == 0)
            let templates = entries(prefix.appending(path: "share/provision/templates"))
            let result = try interrupted(program, call, endsToo, prefix, provision)
            // Where a program fails as well, the shell may go by that.
            #expect(
                result.status == 130 || endsToo && result.status != 0,
                "\(result.text)\(result.standardError)")
            #expect(["1\n", "2\n"].contains(try version(prefix, provision)))
            #expect(entries(prefix.appending(path: "share/provision/templates")) == templates)
            let hidden = try FileManager.default.contentsOfDirectory(atPath: prefix.path)
            #expect(Set(hidden) == ["bin", "share"])
            let scratch = provision.home.appending(path: "scratch")
            #expect(entries(scratch).isEmpty)

            // What is there can be removed, and all of it.
            let removed = try provision.run(
                URL(filePath: Self.script), ["--prefix", prefix.path, "--uninstall"])
            #expect(removed.status == 0, "\(removed.standardError)")
            #expect(entries(prefix).isEmpty)
        }
    }

    /// SIGTERM, as soon as the installation calls `program` for the `call`th time.
    private func interrupted(
        _ program: String, _ call: Int, _ endsToo: Bool, _ prefix: URL, _ provision: Executable
    ) throws -> Executable.Result {
        let stubs = provision.home.appending(path: "stubs")
        try write(
            """
            #!/bin/sh
            echo >>"$0.calls"
            if [ "$(wc -l <"$0.calls")" -ge \(call) ]; then
                kill -TERM "$INSTALLATION"
                \(endsToo ? "exit 1" : "")
            fi
            PATH=${PATH#*:}
            exec \(program) "$@"

            """, stubs.appending(path: program), provision)
        let scratch = provision.home.appending(path: "scratch")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        // A thread of the tests blocks signals, and what it starts inherits that.
        let unblocked = """
            import os, signal, sys
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.environ.update(INSTALLATION=str(os.getpid()), TMPDIR=sys.argv[1])
            os.environ["PATH"] = sys.argv[2] + ":" + os.environ["PATH"]
            os.execv(sys.argv[3], sys.argv[3:])
            """
        return try provision.run(
            URL(filePath: "/usr/bin/env"),
            [
                "python3", "-c", unblocked, scratch.path, stubs.path, Self.script, "--prefix",
                prefix.path, "--executable", try executable(2, provision),
            ])
    }

    @Test func aFolderThatIsReadOnlyIsFoundOutBefore() throws {
        try Executable.withHome { provision in
            let prefix = provision.home.appending(path: "prefix")
            try #require(try install(1, prefix, provision).status == 0)
            let pages = prefix.appending(path: "share/man/man1").path
            let files = FileManager.default
            try files.setAttributes([.posixPermissions: 0o555], ofItemAtPath: pages)
            defer { try? files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: pages) }
            let before = entries(prefix)
            let user = Surrounding.ordinaryUser.command
            let result = try provision.run(
                URL(filePath: user[0]),
                user.dropFirst() + [
                    Self.script, "--prefix", prefix.path, "--executable",
                    try executable(2, provision),
                ])
            #expect(result.status == 2, "\(result.standardError)")
            #expect(result.standardError.contains("\(pages) can't be written"))
            #expect(result.standardError.contains("install: hint: "))
            #expect(entries(prefix) == before)
            #expect(try version(prefix, provision) == "1\n")
        }
    }

    /// A release build's symbols are left away. Here another program plays the build.
    @Test(arguments: [true, false])
    func whatItBuildsIsStripped(_ isStripped: Bool) throws {
        try Executable.withHome { provision in
            let prefix = provision.home.appending(path: "prefix")
            let stubs = provision.home.appending(path: "stubs")
            let built = Executable.url.deletingLastPathComponent().path
            try write(
                """
                #!/bin/sh
                case $* in
                *--show-bin-path*) echo '\(built)' ;;
                *) echo "$*" >>'\(provision.home.path)/builds' ;;
                esac

                """, stubs.appending(path: "swift"), provision)
            if !isStripped {
                try write("#!/bin/sh\nexit 1\n", stubs.appending(path: "strip"), provision)
            }
            let result = try provision.run(
                URL(filePath: "/usr/bin/env"),
                [
                    "PATH=\(stubs.path):/usr/local/bin:/usr/bin:/bin", Self.script, "--prefix",
                    prefix.path,
                ])
            let builds = try String(
                contentsOfFile: provision.home.path + "/builds", encoding: .utf8)
            #expect(builds == "build -c release --static-swift-stdlib --product provision -q\n")
            guard isStripped else {
                // A tool that fails has not installed half a program.
                #expect(result.status == 2, "\(result.standardError)")
                #expect(result.standardError.contains("install: error: "))
                #expect(entries(prefix).isEmpty)
                return
            }
            #expect(result.status == 0, "\(result.standardError)")
            func size(_ path: String) throws -> Int {
                try #require(
                    FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            }
            #expect(try size(prefix.path + "/bin/provision") < size(Executable.url.path))
            #expect(try version(prefix, provision) == provision("--version").text)
        }
    }
}
