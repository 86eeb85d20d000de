import Foundation
import Testing

/// Languages, and paths that only a program may find strange.
@Suite struct StrangePathTests {
    static let names = [
        "with space", "Lämpchen – 灯", "it's \"quoted\"", "$HOME;{image}%s",
    ]

    /// Everything that has a path, under one such name.
    @Test(arguments: names) func everyPathMayBeStrange(name: String) throws {
        let image = try Firmware.native()
        try Executable.withHome { outer in
            let folder = outer.home.appending(path: name)
            let files = FileManager.default
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            let provision = Executable(home: folder.appending(path: "home"))
            let firmware = folder.appending(path: "firmware.elf")
            try files.copyItem(atPath: image, toPath: firmware.path)
            let platforms = folder.appending(path: "platforms")
            try files.createDirectory(at: platforms, withIntermediateDirectories: true)
            let platform = try String(
                contentsOf: Executable.packageRoot.appending(path: "platforms/native.toml"),
                encoding: .utf8)
            try Data(platform.replacingOccurrences(of: "\"native\"", with: "\"mine\"").utf8)
                .write(to: platforms.appending(path: "mine.toml"))
            let report = folder.appending(path: "report.json")

            // The board calls itself otherwise: the refusal shows that this file was read.
            let refused = try provision(
                "run", "--platform", "mine", "--platforms", platforms.path, "--firmware",
                firmware.path, "--detach")
            refused.expectError("id-mismatch", status: 7, "mine", "native")
            let board = try EmulatedBoard(provision, "native", "--firmware", firmware.path)
            defer { _ = board.interrupt() }
            let port = folder.appending(path: "port")
            try files.createSymbolicLink(atPath: port.path, withDestinationPath: board.port)
            let result = try provision(
                "enroll", "--platform", "native", "--package-path", folder.path, "--port",
                port.path,
                "--report", report.path)
            #expect(result.status == 0, "\(result.standardError)")
            let record = try JSONSerialization.jsonObject(with: Data(contentsOf: report))
            let registry = (record as? [String: Any])?["registry"] as? String
            #expect(registry == provision.home.path + "/registry.sqlite")
            #expect(try provision("registry", "verify").status == 0)
            #expect(try provision.keys()["active"]?.count == 1)
            let export = folder.appending(path: "keys.csv").path
            #expect(try provision("export", "--format", "csv", "--output", export).status == 0)
        }
    }

    /// Tools read lists of files by lines: refused in words, where it would reach one, and only there.
    @Test func aPathOfTwoLines() throws {
        let image = try Firmware.native()
        try Executable.withHome { outer in
            let folder = outer.home.appending(path: "two\nlines")
            let provision = Executable(home: folder)
            _ = try provision.provisionNative()
            try FileManager.default.copyItem(
                atPath: image, toPath: folder.appending(path: "firmware.elf").path)
            let result = try provision(
                "run", "--platform", "native", "--firmware", folder.path + "/firmware.elf")
            result.expectError("usage", status: 2, "{image}", "control character", "two lines")
            try provision.expectToContinue()
        }
    }

    /// The emulator gets paths, too, over sockets and in commands of its own.
    @Test func anEmulatedBoardAtAStrangePath() throws {
        try Executable.withHome { outer in
            let provision = Executable(
                home: outer.home.appending(path: Self.names.joined(separator: "\n")))
            let arguments = [
                "run", "--platform", "microbit-qemu", "--firmware", try Firmware.microbit(),
                "--detach", "--json",
            ]
            let first = try provision.run(Executable.url, arguments)
            #expect(first.status == 0, "\(first.standardError)")
            let second = try provision.run(Executable.url, arguments)
            #expect(try second.json()["isNewKey"] as? Bool == false)
        }
    }

    /// As setlocale(3) finds them: a language that is not there would be that of C.
    private static let decimalPoints = [
        "C": ".", "POSIX": ".", "tr_TR.UTF-8": ",", "de_DE.UTF-8": ",",
    ]

    /// What is said and written must not depend on the language. Turkish has another capital of "i", German
    /// another decimal point; C knows ASCII only.
    @Test(arguments: ["C", "POSIX", "tr_TR.UTF-8", "de_DE.UTF-8", "nonsense"])
    func theLanguageChangesNothing(locale: String) throws {
        try Executable.withHome { provision in
            let folder = Executable.packageRoot.appending(path: ".build/locales").path
            let variables = [
                "LC_ALL": locale, "LANG": locale, "LANGUAGE": locale, "LOCPATH": folder,
            ]
            if let point = Self.decimalPoints[locale] {
                let loaded = try provision.run(
                    URL(filePath: "/usr/bin/env"),
                    variables.map { "\($0)=\($1)" } + ["locale", "decimal_point"])
                try #require(
                    loaded.text == point + "\n" && loaded.standardError.isEmpty,
                    "no \(locale): run Scripts/setup --test; \(loaded.standardError)")
            }
            let language = Surrounding.environment(variables)
            let run = try provision(in: language, try Executable.nativeRun())
            #expect(run.status == 0, "\(run.standardError)")
            let device = try #require(try run.json()["device"] as? String)
            let named = try provision(in: language, ["devices", "name", device, "Küche İı – 灯"])
            #expect(named.status == 0, "\(named.standardError)")
            for command in [["devices"], ["keys"], ["export", "--format", "csv"]] {
                let foreign = try provision(in: language, command)
                #expect(foreign.status == 0, "\(foreign.standardError)")
                #expect(try foreign.text == provision.run(Executable.url, command).text)
            }
            #expect(try provision(in: language, ["devices"]).text.contains("Küche İı – 灯"))
            #expect(try provision(in: language, ["registry", "verify"]).status == 0)
            let refused = try provision(in: language, ["revok"])
            #expect(refused.standardError.contains("did you mean revoke?"))
        }
    }

    @Test func theStateDirectoryWithoutAHome() throws {
        try Executable.withHome { provision in
            let state = provision.home.path
            func registry(_ variables: [String: String?]) throws -> Executable.Result {
                let environment = ["PROVISION_HOME": nil, "XDG_STATE_HOME": nil, "HOME": nil]
                    .merging(variables) { $1 }
                return try provision(in: .environment(environment), Executable.nativeRun())
            }
            for (variables, folder) in [
                (["HOME": state + "/h"], "/h/.local/state/provision"),
                (["HOME": state, "XDG_STATE_HOME": state + "/x"], "/x/provision"),
                (["HOME": state, "PROVISION_HOME": state + "/p"], "/p"),
                (["XDG_STATE_HOME": "", "HOME": state + "/e"], "/e/.local/state/provision"),
            ] as [([String: String?], String)] {
                let result = try registry(variables)
                try #require(result.status == 0, "\(result.standardError)")
                let path = try result.json()["registry"] as? String
                #expect(path == state + folder + "/registry.sqlite")
            }
            for name in ["PROVISION_HOME", "XDG_STATE_HOME"] {
                try registry([name: "here/state"])
                    .expectError("usage", status: 2, name, "\"here/state\"", "no absolute path")
            }
        }
    }
}
