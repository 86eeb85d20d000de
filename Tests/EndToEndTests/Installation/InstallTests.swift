import Foundation
import Testing

/// `Scripts/install` into a folder, and what is installed there.
@Suite struct InstallTests {
    private static let script = Executable.packageRoot.appending(path: "Scripts/install")

    private func withInstallation(_ body: (Executable, URL) throws -> Void) throws {
        try Executable.withHome { provision in
            let prefix = provision.home.appending(path: "the prefix")
            let result = try provision.run(
                Self.script, ["--prefix", prefix.path, "--executable", Executable.url.path])
            try #require(result.status == 0, "\(result.standardError)")
            #expect(result.standardError.contains("provision doctor --udev-rules"))
            try body(provision, prefix)
        }
    }

    private func files(in folder: URL) -> Set<String> {
        let names = try? FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return Set(names ?? [])
    }

    @Test func whatIsInstalledWorks() throws {
        try withInstallation { provision, prefix in
            let program = prefix.appending(path: "bin/provision")
            let version = try provision.run(program, ["--version"]).text
            #expect(version == (try provision("--version").text))
            #expect(try provision.run(program, ["platforms"]).text.contains("native"))

            // Its own templates, which depend on the package that was installed with them.
            let copy = provision.home.appending(path: "firmware")
            let made = try provision.run(program, ["init", "embedded-swift", copy.path])
            try #require(made.status == 0, "\(made.standardError)")
            let manifest = try String(
                contentsOf: copy.appending(path: "Package.swift"), encoding: .utf8)
            let share = prefix.appending(path: "share/provision").path
            #expect(manifest.contains("path: \"\(share)\""), "\(manifest)")
            let run = try provision.run(
                program,
                [
                    "run", "--platform", "native", "--package-path", copy.path, "--detach",
                    "--json",
                ])
            #expect(run.status == 0, "\(run.standardError)")
            #expect(try run.json()["keyState"] as? String == "active")

            let hook = provision.home.appending(path: "hook")
            try #require(try provision.run(program, ["init", "hooks/make", hook.path]).status == 0)
            let path = "PATH=\(prefix.path)/bin:/usr/bin:/bin"
            let built = try provision.run(
                URL(filePath: "/usr/bin/env"),
                [path, "make", "provision", "PROVISION_ARGUMENTS=--detach"], in: hook)
            #expect(built.status == 0, "\(built.text)\(built.standardError)")
        }
    }

    @Test(.enabled(if: HookBench.has("bash"), "bash is not installed"))
    func bashTakesItsCompletions() throws {
        try expectCompletions("bash", "share/bash-completion/completions/provision")
    }

    @Test(.enabled(if: HookBench.has("zsh"), "zsh is not installed"))
    func zshTakesItsCompletions() throws {
        try expectCompletions("zsh", "share/zsh/site-functions/_provision")
    }

    @Test(.enabled(if: HookBench.has("fish"), "fish is not installed"))
    func fishTakesItsCompletions() throws {
        try expectCompletions("fish", "share/fish/vendor_completions.d/provision.fish")
    }

    private func expectCompletions(_ shell: String, _ file: String) throws {
        try withInstallation { provision, prefix in
            let script = prefix.appending(path: file).path
            let text = try String(contentsOfFile: script, encoding: .utf8)
            #expect(text.contains("enroll") && text.contains("init"))
            let result = try provision.run(
                URL(filePath: "/usr/bin/env"), [shell, "-n", script])
            #expect(result.status == 0, "\(result.standardError)")
        }
    }

    @Test(.enabled(if: HookBench.has("man"), "man is not installed"))
    func theManualPagesRender() throws {
        try withInstallation { provision, prefix in
            let folder = prefix.appending(path: "share/man/man1")
            let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(pages.count > 15 && pages.contains("provision-run.1"))
            for page in pages {
                let result = try provision.run(
                    URL(filePath: "/usr/bin/env"),
                    [
                        "MANWIDTH=120", "MANROFFOPT=-ww", "LC_ALL=C.UTF-8", "man", "--warnings",
                        "-l", folder.appending(path: page).path,
                    ])
                #expect(
                    result.status == 0 && result.standardError.isEmpty, "\(result.standardError)")
                for part in ["NAME", "SYNOPSIS", "OPTIONS", "--help"] {
                    #expect(result.text.contains(part), "\(page): \(part)")
                }
            }
            let run = try provision.run(
                URL(filePath: "/usr/bin/env"),
                ["LC_ALL=C.UTF-8", "man", "-l", folder.appending(path: "provision-run.1").path])
            #expect(run.text.contains("provision run --platform microbit-qemu --erase --detach"))
        }
    }

    @Test func uninstallingLeavesWhatIsSomebodyElses() throws {
        try withInstallation { provision, prefix in
            let own = prefix.appending(path: "share/man/man1/mine.1")
            try Data("mine".utf8).write(to: own)
            // A second installation replaces the first one.
            let again = try provision.run(
                Self.script, ["--prefix", prefix.path, "--executable", Executable.url.path])
            #expect(again.status == 0, "\(again.standardError)")
            let result = try provision.run(Self.script, ["--prefix", prefix.path, "--uninstall"])
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                files(in: prefix) == [
                    "share", "share/man", "share/man/man1", "share/man/man1/mine.1",
                ])
            let nothing = try provision.run(Self.script, ["--prefix", prefix.path, "--uninstall"])
            #expect(nothing.status == 2)
            #expect(nothing.standardError.contains("nothing is installed in \(prefix.path)"))
        }
    }

    /// As packagers have it: nothing is written outside of DESTDIR, and nothing names it.
    @Test func aDestinationIsNotThePrefix() throws {
        try Executable.withHome { provision in
            let destination = provision.home.appending(path: "package")
            let result = try provision.run(
                URL(filePath: "/usr/bin/env"),
                [
                    "DESTDIR=\(destination.path)", Self.script.path, "--prefix", "/opt/provision",
                    "--executable", Executable.url.path,
                ])
            #expect(result.status == 0, "\(result.standardError)")
            let installed = files(in: destination)
            #expect(installed.contains("opt/provision/bin/provision"))
            #expect(!FileManager.default.fileExists(atPath: "/opt/provision/bin/provision"))
            let list = try String(
                contentsOf: destination.appending(
                    path: "opt/provision/share/provision/installed-files"), encoding: .utf8)
            #expect(list.split(separator: "\n").allSatisfy { !$0.hasPrefix("/") })
            #expect(list.split(separator: "\n").contains("bin/provision"))
        }
    }

    @Test func whatCanNotBeInstalledChangesNothing() throws {
        try withInstallation { provision, prefix in
            let before = files(in: prefix)
            for (arguments, reason) in [
                (["--prefix", "relative"], "no absolute path"), (["--bogus"], "--bogus"),
                (["--prefix", prefix.path, "--executable", "/etc/passwd"], "no executable"),
                (["--prefix", prefix.path, "--executable", "/bin/false"], "does not run"),
            ] {
                let result = try provision.run(Self.script, arguments)
                #expect(result.status == 2, "\(result.standardError)")
                #expect(result.standardError.contains(reason), "\(result.standardError)")
            }
            #expect(files(in: prefix) == before)
            // A list that somebody changed names nothing outside of the prefix.
            let list = prefix.appending(path: "share/provision/installed-files")
            let victim = provision.home.appending(path: "victim")
            try Data().write(to: victim)
            try Data("../victim\n".utf8).write(to: list)
            let result = try provision.run(Self.script, ["--prefix", prefix.path, "--uninstall"])
            #expect(result.status == 2)
            #expect(FileManager.default.fileExists(atPath: victim.path))
        }
    }
}
