import Foundation
import Testing

/// Hooks of tools that neither Debian nor PyPI has, or that need a whole operating system's tree: what can
/// be run is run, in a stub that the test's name tells; the rest is compared with what the tool publishes.
@Suite struct HookSchemaTests {
    /// The workspace is made up, west is the real one.
    @Test(.enabled(if: HookBench.has("west"), "west: \(HookBench.missing)"))
    func westRunsTheExtensionCommand() throws {
        try HookBench.with("west") { bench in
            let workspace = try Workspace(bench)
            let missing = try workspace.west("provision", "--platform", "native")
            #expect(missing.status != 0)
            #expect(missing.standardError.contains("there is no build/zephyr/zephyr.elf"))

            try workspace.copyFirmware()
            try bench.expectProvisioned(
                workspace.west("provision", "--platform", "native", "--detach"))
            try workspace.west("provision", "--platform", "unknown", "--detach")
                .expectError("platform-unknown", status: 2)
            let help = try workspace.west("help", "provision")
            #expect(help.text.contains("--west-flash"), "\(help.text)")

            // There is no Zephyr here, and so no `west flash`: that it was called, and that it failed.
            let board = try EmulatedBoard(
                bench.provision, "native", "--firmware", try Firmware.native())
            defer { _ = board.interrupt() }
            try workspace.west(
                "provision", "--platform", "native", "--port", board.port, "--detach",
                "--west-flash"
            ).expectError("flash-failed", status: 4, "west flash --build-dir build", "flash")
        }
    }

    /// Zephyr's `runners.core` is in no package registry: a stub of what its documentation says of
    /// ZephyrBinaryRunner and RunnerCaps stands in its place.
    @Test(.enabled(if: HookBench.has("west"), "west: \(HookBench.missing)"))
    func theWestRunnerRunsInAStubOfZephyrsRunnersCore() throws {
        try HookBench.with("west") { bench in
            try bench.copyFirmware(to: "zephyr.elf")
            try bench.write(
                """
                import shutil, subprocess

                class RunnerCaps:
                    def __init__(self, commands=(), dev_id=False, erase=False, tool_opt=False):
                        self.commands = commands

                class ZephyrBinaryRunner:
                    def __init__(self, cfg): self.cfg = cfg
                    def require(self, program): assert shutil.which(program)
                    def check_call(self, command): subprocess.check_call(command)

                """, to: "stub/runners/core.py")
            try bench.write(
                """
                import argparse, sys
                sys.path[:0] = ["stub", "scripts"]
                from runners.core import ZephyrBinaryRunner
                import provision_runner

                runner, = ZephyrBinaryRunner.__subclasses__()
                assert runner.name() == "provision" and runner.capabilities().commands == {"flash"}
                assert runner.dev_id_help() and runner.tool_opt_help()
                parser = argparse.ArgumentParser()
                runner.do_add_parser(parser)
                args = parser.parse_args(sys.argv[1:])
                args.dev_id, args.tool_opt, args.erase = None, ["--detach"], True
                cfg = argparse.Namespace(elf_file="zephyr.elf")
                runner.do_create(cfg, args).do_run("flash")

                """, to: "run.py")
            try bench.expectProvisioned(bench("python", "run.py", "--provision-platform", "native"))
            let failed = try bench("python", "run.py", "--provision-platform", "unknown")
            #expect(failed.status == 1)
            #expect(failed.standardError.contains("error[platform-unknown]"))
        }
    }

    /// scripts/schemas/module-schema.yml and west's own: the keys that they know.
    @Test(.enabled(if: HookBench.has("west"), "west: \(HookBench.missing)"))
    func theZephyrModuleHasTheKeysOfItsPublishedSchema() throws {
        try HookBench.with("west") { bench in
            try bench.judge(
                """
                module = load("zephyr/module.yml")
                assert set(module) <= {"name", "build", "tests", "samples", "boards", "blobs",
                                       "security", "package-managers", "runners"}, module
                for runner in module["runners"]:
                    assert set(runner) == {"file"} and os.path.isfile(runner["file"]), runner
                for entry in load("west-commands.yml")["west-commands"]:
                    assert set(entry) == {"file", "commands"} and os.path.isfile(entry["file"])
                    for command in entry["commands"]:
                        assert set(command) == {"name", "class", "help"}, command
                """)
        }
    }

    /// laze's book, reference/tasks.md and reference/module: its parser refuses any other key.
    @Test(.enabled(if: HookBench.has("west"), "PyYAML: \(HookBench.missing)"))
    func theLazeModuleHasTheKeysOfItsPublishedSchema() throws {
        try HookBench.with("laze") { bench in
            try bench.judge(
                """
                document = load("provision.yml")
                assert set(document) == {"modules"}
                module, = document["modules"]
                assert set(module) <= {"name", "context", "help", "env", "selects", "uses", "depends",
                                       "conflicts", "provides", "provides_unique", "requires",
                                       "disables", "tasks", "sources", "build", "meta"}, module
                assert set(module["env"]) <= {"local", "export", "global"}
                variables = set(module["env"]["global"]) | {"builder", "out", "app", "appdir"}
                kinds = {"cmd": list, "help": str, "required_vars": list, "required_modules": list,
                         "export": list, "build": bool, "ignore_ctrl_c": bool, "workdir": str,
                         "meta": dict}
                commands = []
                for task in module["tasks"].values():
                    assert all(isinstance(task[key], kinds[key]) for key in task), task
                    assert set(task["required_vars"]) <= variables
                    commands += task["cmd"]
                # Ariel OS wraps it into quotes for cargo, which puts the ELF file behind it.
                commands.append(module["env"]["global"]["CARGO_RUNNER"].strip("'"))
                for command in commands:
                    assert set(re.findall(r"[$][{](\\w+)[}]", command)) <= variables, command
                    assert command.split()[0] == "provision"
                """)
        }
    }

    /// What Ariel OS makes of CARGO_RUNNER, with laze's variables filled in: cargo runs it.
    @Test func theLazeModulesRunnerRunsWithItsVariablesFilledIn() throws {
        try HookBench.with("laze") { bench in
            try bench.copyFirmware(to: "app.elf")
            let text = try String(
                contentsOf: bench.folder.appending(path: "provision.yml"), encoding: .utf8)
            let line = try #require(
                text.split(separator: "\n").first { $0.contains("CARGO_RUNNER: ") })
            let runner = line.split(separator: "'")[1]
                .replacing("${PROVISION_PLATFORM}", with: "native")
            try bench.expectProvisioned(bench("sh", "-c", "\(runner) app.elf --detach"))
            let task = try #require(
                text.split(separator: "\n").first { $0.contains("- provision run ") })
            let command = task.trimmingPrefix(while: { $0 == " " || $0 == "-" })
                .replacing("${PROVISION_PLATFORM}", with: "native")
                .replacing("${out}", with: "app.elf")
            let again = try bench("sh", "-c", String(command), "laze", "--detach")
            #expect(again.status == 0, "\(again.standardError)")
        }
    }

    /// idf.py's extensions are a function that returns a table; its callback flashes with CMake's target
    /// `flash`, as idf.py does. The stub of idf.py calls it; CMake is real, its target only notes that it ran.
    @Test(.enabled(if: HookBench.has("cmake"), "cmake: \(HookBench.missing)"))
    func theESPIDFExtensionRunsInAStubOfIdfPy() throws {
        try HookBench.with("esp-idf") { bench in
            try bench.write(
                """
                cmake_minimum_required(VERSION 3.16)
                project(app NONE)
                add_custom_target(flash COMMAND ${CMAKE_COMMAND} -E touch flashed.$ENV{ESPPORT})
                """, to: "CMakeLists.txt")
            try bench.write(
                """
                import argparse, os, sys
                from idf_ext import action_extensions
                table = action_extensions({}, os.getcwd())
                assert set(table) <= {"version", "global_options", "global_action_callbacks", "actions"}
                action = table["actions"]["provision"]
                assert set(action) <= {"callback", "help", "short_help", "options", "arguments",
                                       "dependencies", "order_dependencies", "hidden"}
                for option in action["options"]:
                    assert option["names"] and option["help"]
                args = argparse.Namespace(build_dir="build", port=sys.argv[2])
                action["callback"]("provision", None, args, sys.argv[1], tuple(sys.argv[3:]))
                """, to: "idf.py")
            try #require(try bench("cmake", "-B", "build", "-G", "Unix Makefiles").status == 0)
            let board = try EmulatedBoard(
                bench.provision, "native", "--firmware", try Firmware.native())
            defer { _ = board.interrupt() }
            try bench.expectProvisioned(
                bench("python3", "idf.py", "native", board.port, "--detach"))
            let built = try FileManager.default.contentsOfDirectory(
                atPath: bench.folder.appending(path: "build").path)
            #expect(built.contains { $0.hasPrefix("flashed.") }, "\(built)")
            let failed = try bench("python3", "idf.py", "unknown", board.port, "--detach")
            failed.expectError("platform-unknown", status: 2)
        }
    }

    /// platform.txt's format: properties, whose patterns are filled in with other properties. Those that
    /// the specification says are there for an upload are filled in as arduino-cli does.
    @Test func theArduinoUploadPatternIsThatOfThePublishedPlatformSpecification() throws {
        try HookBench.with("arduino-cli") { bench in
            func properties(_ name: String) throws -> [String: String] {
                let text = try String(
                    contentsOf: bench.folder.appending(path: name), encoding: .utf8)
                return Dictionary(
                    uniqueKeysWithValues: text.split(separator: "\n")
                        .filter { !$0.hasPrefix("#") }
                        .map { line in
                            let parts = line.split(
                                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                            return (String(parts[0]), String(parts[1]))
                        })
            }
            let boards = try properties("boards.local.txt")
            let tool = try #require(boards["uno.upload.tool"])
            #expect(boards["uno.upload.tool.default"] == tool)
            #expect(boards["uno.provision.platform"] != nil)
            let platform = try properties("platform.local.txt")
            #expect(platform.keys.allSatisfy { $0.hasPrefix("tools.\(tool).upload.") })
            #expect(platform["tools.\(tool).upload.params.verbose"] == "--verbose")
            var command = try #require(platform["tools.\(tool).upload.pattern"])

            try bench.copyFirmware(to: "build dir/Blink.ino.elf")
            for (name, value) in [
                ("build.path", bench.folder.appending(path: "build dir").path),
                ("build.project_name", "Blink.ino"), ("provision.platform", "mine"),
                ("upload.port.address", "PORT"), ("upload.verbose", "--verbose"),
            ] {
                #expect(command.contains("{\(name)}"))
                command = command.replacing("{\(name)}", with: value)
            }
            #expect(!command.contains("{"), "\(command)")
            try bench.write(
                """
                name = "mine"
                description = "an Arduino"
                board = "native"
                [flash]
                method = "command"
                command = ["/usr/bin/test", "-f", "{image}"]
                [channel]
                kind = "uart"
                """, to: "platforms/mine.toml")
            let board = try EmulatedBoard(
                bench.provision, "native", "--firmware", try Firmware.native())
            defer { _ = board.interrupt() }
            // arduino-cli splits at spaces outside of quotes, and no shell sees it.
            try bench.expectProvisioned(
                bench("sh", "-c", command.replacing("PORT", with: board.port)))
        }
    }

    /// Make is real; the Makefile plays the parts of RIOT's Makefile.include and programmer.inc.mk that
    /// flash: `flash-recipe`, which is PROGRAMMER_FLASH, which is FLASHER and FFLAGS.
    @Test(.enabled(if: HookBench.has("make"), "make: \(HookBench.missing)"))
    func riotsFlashTargetRunsInAMakefileThatPlaysRiot() throws {
        try HookBench.with("riot") { bench in
            try bench.copyFirmware(to: "firmware/app.elf")
            try bench.write(
                """
                ELFFILE = bin/$(BOARD)/app.elf
                FLASHFILE ?= $(ELFFILE)
                FLASHER ?= openocd.sh
                FFLAGS ?= flash $(FLASHFILE)
                PROGRAMMER_FLASH ?= $(FLASHER) $(FFLAGS)
                flash-recipe ?= $(PROGRAMMER_FLASH)
                $(ELFFILE):
                \tmkdir -p $(@D) && cp firmware/app.elf $@
                flash: $(FLASHFILE)
                \t$(flash-recipe)
                flash-only:
                \t$(flash-recipe)
                """, to: "riot/Makefile.include")
            try bench.write(
                """
                BOARD ?= native
                include riot/Makefile.include
                include provision.inc.mk
                """, to: "Makefile")
            try bench.expectProvisioned(bench("make", "flash", "PROVISION_ARGUMENTS=--detach"))
            let failed = try bench("make", "flash-only", "PROVISION_PLATFORM=unknown")
            #expect(failed.status == 2)
            #expect(failed.standardError.contains("error[platform-unknown]"))
        }
    }
}

/// `west init -l` in a folder around the module.
private struct Workspace {
    private let bench: HookBench

    init(_ bench: HookBench) throws {
        self.bench = bench
        let module = bench.folder.appending(path: "west")
        try FileManager.default.createDirectory(at: module, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: bench.folder.path)
        where name != "west" {
            try FileManager.default.moveItem(
                at: bench.folder.appending(path: name), to: module.appending(path: name))
        }
        let made = try bench("west", "init", "-l", "west")
        try #require(made.status == 0, "\(made.standardError)")
    }

    func west(_ words: String...) throws -> Executable.Result {
        try bench.provision.run(
            URL(filePath: "/usr/bin/env"), HookBench.command + ["west"] + words, in: bench.folder)
    }

    func copyFirmware() throws { try bench.copyFirmware(to: "build/zephyr/zephyr.elf") }
}

extension HookBench {
    /// Runs assertions in Python, with PyYAML, in the project's folder.
    fileprivate func judge(_ assertions: String) throws {
        try write(
            "import os, re, yaml\n\ndef load(name):\n    with open(name) as file:\n"
                + "        return yaml.safe_load(file)\n\n" + assertions + "\n", to: "judge.py")
        let result = try self("python", "judge.py")
        #expect(result.status == 0, "\(result.standardError)")
    }
}
