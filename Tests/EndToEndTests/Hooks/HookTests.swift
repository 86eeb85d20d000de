import Foundation
import Testing

/// The templates of `Templates/hooks`, as they are copied, under the real build tools: their targets build
/// firmware, flash it, and the device that it makes is provisioned.
@Suite struct HookTests {
    @Test(.enabled(if: HookBench.has("make"), "make: \(HookBench.missing)"))
    func make() throws {
        try HookBench.with("make") { bench in
            try bench.expectProvisioned(
                bench("make", "provision", "PROVISION_ARGUMENTS=--detach"))
            let failed = try bench("make", "provision", "PLATFORM=unknown")
            #expect(failed.status == 2)
            #expect(failed.standardError.contains("error[platform-unknown]"))
            #expect(failed.standardError.contains("Error 2"), "\(failed.standardError)")
        }
    }

    @Test(
        .enabled(if: HookBench.has("cmake"), "cmake: \(HookBench.missing)"),
        arguments: ["Ninja", "Unix Makefiles"])
    func cmake(_ generator: String) throws {
        try HookBench.with("cmake") { bench in
            let configured = try bench(
                "cmake", "-B", "build", "-G", generator,
                "-DPROVISION_ARGUMENTS=--detach;--report;report of it.json")
            try #require(configured.status == 0, "\(configured.standardError)")
            try bench.expectProvisioned(
                bench("cmake", "--build", "build", "--target", "provision"))
            // A list's parts are words, whatever is in them.
            #expect(
                FileManager.default.fileExists(
                    atPath: bench.folder.appending(path: "build/report of it.json").path))
            let again = try bench(
                "cmake", "-B", "build", "-DPROVISION_ARGUMENTS=--device;0011223344556677")
            try #require(again.status == 0)
            let failed = try bench("cmake", "--build", "build", "--target", "provision")
            #expect(failed.status != 0)
            #expect(
                (failed.text + failed.standardError).contains("error[id-mismatch]"),
                "\(failed.text)")
        }
    }

    @Test(.enabled(if: HookBench.has("meson"), "meson: \(HookBench.missing)"))
    func meson() throws {
        try HookBench.with("meson") { bench in
            let configured = try bench(
                "meson", "setup", "build", "-Dprovision_arguments=['--detach']")
            try #require(configured.status == 0, "\(configured.text)")
            try bench.expectProvisioned(bench("meson", "compile", "-C", "build", "provision"))
            let other = try bench("meson", "configure", "build", "-Dplatform=unknown")
            try #require(other.status == 0, "\(other.text)")
            let failed = try bench("meson", "compile", "-C", "build", "provision")
            #expect(failed.status != 0)
            #expect(
                (failed.text + failed.standardError).contains("error[platform-unknown]"),
                "\(failed.text)")
        }
    }

    /// The whole of it: the ELF is the last argument, cargo's status is the run's, Ctrl-C reaches it.
    @Test(.enabled(if: HookBench.has("cargo"), "cargo: \(HookBench.missing)"))
    func cargo() throws {
        try HookBench.with("cargo") { bench in
            try bench.expectProvisioned(
                bench("cargo", "run", "--quiet", "--", "--detach"))
            let usage = try bench("cargo", "run", "--quiet", "--", "--bogus")
            usage.expectError("usage", status: 2, "--bogus")
            let other = try bench(
                "cargo", "run", "--quiet", "--", "--detach", "--device", "0011223344556677")
            other.expectError("id-mismatch", status: 7)

            let leftovers = Leftovers(of: bench.provision)
            let run = try TerminalRun(
                bench.provision, HookBench.variables[0],
                Array(HookBench.variables.dropFirst()) + ["cargo", "run", "--quiet"],
                in: bench.folder)
            defer { run.close() }
            #expect(run.shows("attached to"), "\(run.output)")
            #expect(run.takesTerminal)
            run.pressControlC()
            #expect(run.status() == 0, "\(run.output)")
            #expect(run.isTerminalRestored)
            #expect(leftovers.processes() == [])
        }
    }

    /// A flash tool of the user's own as the runner: cargo puts the image behind its arguments.
    @Test(.enabled(if: HookBench.has("cargo"), "cargo: \(HookBench.missing)"))
    func cargoWithAFlashToolOfItsOwn() throws {
        try HookBench.with("cargo") { bench in
            let board = try EmulatedBoard(
                bench.provision, "native", "--firmware", try Firmware.native())
            defer { _ = board.interrupt() }
            let runner = [
                "provision", "run", "--platform", "native", "--port", board.port, "--detach",
                "--json", "--", "/bin/sh", "-c", #"echo "$0 is flashed by $PPID" > "$0.flashed""#,
            ]
            let encoder = JSONEncoder()
            // TOML's strings are nearly JSON's.
            encoder.outputFormatting = .withoutEscapingSlashes
            let words = String(decoding: try encoder.encode(runner), as: UTF8.self)
            try bench.write("[target.'cfg(all())']\nrunner = \(words)\n", to: ".cargo/config.toml")
            let result = try bench("cargo", "run", "--quiet")
            #expect(result.status == 0, "\(result.standardError)")
            #expect((try result.json()["imageDigest"] as? String)?.count == 64)
            #expect(
                FileManager.default.fileExists(
                    atPath: bench.folder.appending(path: "target/debug/app.flashed").path))
        }
    }

    /// PlatformIO takes SCons and its platforms from a registry of its own on the network. Here SCons is
    /// PyPI's, and the platform is one of the test's own; the rest of PlatformIO is as it is installed.
    @Test(.enabled(if: HookBench.has("pio"), "pio: \(HookBench.missing)"))
    func platformIOWithAPlatformOfTheTestsOwn() throws {
        try HookBench.with("platformio") { bench in
            let core = bench.provision.home.appending(path: "platformio")
            try PlatformIOPackages.write(to: core)
            let result = try bench("PLATFORMIO_CORE_DIR=\(core.path)", "pio", "run", "-t", "upload")
            #expect(result.text.contains("CURRENT: upload_protocol = custom"), "\(result.text)")
            try bench.expectProvisioned(result)

            let settings = bench.folder.appending(path: "platformio.ini")
            let text = try String(contentsOf: settings, encoding: .utf8)
            try bench.write(
                text.replacing("--platform native", with: "--platform unknown"),
                to: "platformio.ini")
            let failed = try bench("PLATFORMIO_CORE_DIR=\(core.path)", "pio", "run", "-t", "upload")
            #expect(failed.status == 1)
            #expect(failed.standardError.contains("error[platform-unknown]"))
        }
    }

    /// `swift package provision` in the firmware template is what `PluginTests` and `MainJobTests` run.
    @Test func theSwiftPackageHookIsWhatTheFirmwareTemplateHas() throws {
        let templates = Executable.packageRoot.appending(path: "Templates")
        let readme = try String(
            contentsOf: templates.appending(path: "hooks/swift-package/README.md"), encoding: .utf8)
        let manifest = try String(
            contentsOf: templates.appending(path: "embedded-swift/Package.swift"), encoding: .utf8)
        let line = #".package(name: "provision", path: "#
        #expect(readme.contains(line) && manifest.contains(line))
        #expect(readme.contains("$ swift package provision "))
    }

    @Test func everyHookHasAReadmeWithACommand() throws {
        let folder = Executable.packageRoot.appending(path: "Templates/hooks")
        let hooks = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0 != "README.md" }
        #expect(hooks.count >= 11)
        for hook in hooks {
            let readme = try String(
                contentsOf: folder.appending(path: "\(hook)/README.md"), encoding: .utf8)
            #expect(readme.contains("\n    $ "), "\(hook)")
            #expect(readme.split(separator: "\n", omittingEmptySubsequences: false).count < 40)
        }
    }
}

/// What PlatformIO would have fetched from its registry, as little of it as a host build takes.
private enum PlatformIOPackages {
    static func write(to core: URL) throws {
        let files = [
            "packages/tool-scons/package.json": package("tool-scons", "4.41101.0"),
            "packages/tool-scons/.piopm": record("tool", "tool-scons", "4.41101.0"),
            "packages/tool-scons/scons.py": "import SCons.Script\nSCons.Script.main()\n",
            "platforms/native/platform.json": package("native", "1.0.0"),
            "platforms/native/.piopm": record("platform", "native", "1.0.0"),
            "platforms/native/builder/main.py": """
            from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

            env = DefaultEnvironment()
            program = env.BuildProgram()
            upload = env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE")
            AlwaysBuild(env.Alias("upload", program, upload))
            Default([program])

            """,
        ]
        for (name, text) in files {
            let file = core.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    private static func package(_ name: String, _ version: String) -> String {
        """
        {"name": "\(name)", "version": "\(version)", "title": "\(name)", "description": "-",
         "license": "Apache-2.0", "frameworks": {}, "packages": {}, "system": "*",
         "repository": {"type": "git", "url": "https://example.org"}}
        """
    }

    private static func record(_ kind: String, _ name: String, _ version: String) -> String {
        """
        {"type": "\(kind)", "name": "\(name)", "version": "\(version)",
         "spec": {"owner": "platformio", "id": null, "name": "\(name)", "requirements": null,
                  "uri": null}}
        """
    }
}
