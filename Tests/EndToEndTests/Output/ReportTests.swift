import Foundation
import Testing

/// Where `--report` and `--output` write, and what a place that can't be written costs.
@Suite struct ReportTests {
    @Test func aReportThatCannotBeWrittenIsFoundBeforeTheBoardIsTouched() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let result = try provision(
                "run", "--platform", "native", "--firmware", image, "--detach", "--report",
                provision.home.path + "/missing/report.json")
            #expect(result.status == 2)
            #expect(result.standardError.contains("hint: choose another --report"))
            #expect(!FileManager.default.fileExists(atPath: provision.home.path + "/emulated"))
        }
    }

    /// A program that reads the document learns why there is no result, and no earlier one passes for it.
    @Test(arguments: ["enroll", "run", "flash"])
    func anErrorIsADocument(_ command: String) throws {
        try Executable.withHome { provision in
            let report = provision.home.appending(path: "report.json")
            try Data("{\"keyState\" : \"active\"}".utf8).write(to: report)
            let missing = provision.home.path + "/missing"
            let result = try provision(
                command, "--platform", "native", "--json", "--report", report.path,
                command == "enroll" ? "--port" : "--firmware", missing)
            let code = command == "enroll" ? "channel-unavailable" : "image-invalid"
            result.expectError(code, status: command == "enroll" ? 5 : 3, missing)
            let error = try #require(try result.json()["error"] as? [String: String])
            #expect(error["code"] == code)
            #expect(error["reason"]?.contains(missing) == true)
            #expect(error["hint"].map { result.hint?.hasPrefix($0) } == true)
            #expect(try Data(contentsOf: report) == result.standardOutput)
            let text = try provision(
                command, "--platform", "native",
                command == "enroll" ? "--port" : "--firmware", missing)
            #expect(text.standardOutput.isEmpty)
        }
    }

    @Test func aReportThatCannotBeWrittenIsToldOnce() throws {
        try Executable.withHome { provision in
            let result = try provision(
                "enroll", "--platform", "native", "--json", "--report",
                provision.home.path + "/missing/report.json")
            result.expectError("usage", status: 2, "/missing/report.json")
            let error = try #require(try result.json()["error"] as? [String: String])
            #expect(error["code"] == "usage")
            #expect(result.standardError.split(separator: "error[").count == 2)
        }
    }

    /// Two documents in one place are none.
    @Test func aReportIsNotWrittenWhereTheDocumentGoes() throws {
        try Executable.withHome { provision in
            let enroll = [
                "enroll", "--platform", "native", "--port", "/missing/port", "--timeout", "port=1s",
            ]
            let both = try provision.run(
                Executable.url, enroll + ["--json", "--report", "/dev/stdout"])
            both.expectError("usage", status: 2, "--report /dev/stdout is where --json writes")
            #expect(try both.json()["error"] != nil)
            let report = try provision.run(Executable.url, enroll + ["--report", "/dev/stdout"])
            report.expectError("channel-unavailable", status: 5, "/missing/port")
            #expect(try report.json()["error"] != nil)
        }
    }

    /// The image, the log: what a run is about is not overwritten by what it says of it.
    @Test func aFileThatIsNoReportStays() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let file = provision.home.appending(path: "own")
            try FileManager.default.copyItem(atPath: image, toPath: file.path)
            let content = try Data(contentsOf: file)
            for arguments in [
                ["run", "--platform", "native", "--firmware", file.path, "--dry-run", "--report"],
                ["run", "--platform", "native", "--firmware", file.path, "--detach", "--report"],
                ["flash", "--platform", "native", "--firmware", file.path, "--report"],
                ["enroll", "--platform", "native", "--log", file.path, "--report"],
                ["run", "--bogus", "--report"],
                ["check", "native", "--device", "--firmware", file.path, "--record"],
            ] {
                let result = try provision.run(Executable.url, arguments + [file.path])
                let isUnderstood = arguments[1] != "--bogus"
                #expect(result.status == 2, "\(arguments): \(result.standardError)")
                #expect(
                    result.standardError.contains("own is there, and not what") == isUnderstood,
                    "\(arguments): \(result.standardError)")
                #expect(try Data(contentsOf: file) == content, "\(arguments)")
            }
        }
    }

    /// Also where nobody understood what was asked: an earlier run's does not pass for this one's.
    @Test(arguments: [["--bogus"], ["--instances", "0"], ["--platform", "native"]])
    func aLineThatIsNotUnderstoodIsAReport(arguments: [String]) throws {
        try Executable.withHome { provision in
            let report = provision.home.appending(path: "report.json")
            try Data("{\"keyState\" : \"active\"}".utf8).write(to: report)
            for option in [["--report", report.path], ["--report=\(report.path)"]] {
                let result = try provision.run(
                    Executable.url, ["run", "--platform", "native", "--json"] + option + arguments)
                #expect(result.status == 2, "\(result.standardError)")
                let error = try #require(try result.json()["error"] as? [String: String])
                #expect(error["code"] == "usage")
                #expect(try Data(contentsOf: report) == result.standardOutput)
                try FileManager.default.removeItem(at: report)
            }
        }
    }

    /// As `--output /dev/null` by root, which must not end the device.
    @Test func whatIsNoPlainFileStaysWhatItIs() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let target = provision.home.appending(path: "target.csv")
            let link = provision.home.appending(path: "link.csv")
            try Data(String(repeating: "old, and longer than the new one", count: 100).utf8)
                .write(to: target)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
            let result = try provision("export", "--format", "csv", "--output", link.path)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == target.path)
            let content = try String(contentsOf: target, encoding: .utf8)
            #expect(content.hasPrefix("board,device,") && !content.contains("old, and"))
            #expect(try provision.partialFiles().isEmpty)
        }
    }

    @Test func anExportThatFailsChangesNothing() throws {
        try Executable.withHome { provision in
            let record = try provision.provisionNative()
            let device = try #require(record["device"] as? String)
            #expect(try provision("revoke", "--device", device).status == 0)
            let target = provision.home.path + "/target.pem"
            let link = provision.home.path + "/link.pem"
            try Data("old".utf8).write(to: URL(filePath: target))
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: "target.pem")
            for output in [link, target, provision.home.path + "/new.pem"] {
                // One is not registered, the other has nothing to show any more.
                for asked in ["nosuch", device] {
                    let result = try provision(
                        "export", "--format", "chain", "--device", asked, "--output", output)
                    result.expectError("not-found", status: 8)
                    #expect(try String(contentsOfFile: target, encoding: .utf8) == "old")
                }
            }
            #expect(try provision.partialFiles().isEmpty)
            #expect(!FileManager.default.fileExists(atPath: provision.home.path + "/new.pem"))
        }
    }

    /// As a shell's `>` does.
    @Test func whatALinkLeadsToIsMade() throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "links")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false)
            let links = ["first": "links/second", "links/second": "../report.json"]
            for (link, target) in links {
                try FileManager.default.createSymbolicLink(
                    atPath: provision.home.path + "/" + link, withDestinationPath: target)
            }
            let link = provision.home.path + "/first"
            let record = try provision.provisionNative("--report", link)
            let report = provision.home.appending(path: "report.json")
            let written = try JSONSerialization.jsonObject(with: Data(contentsOf: report))
            let thumbprint = (written as? [String: Any])?["thumbprint"] as? String
            #expect(thumbprint == record["thumbprint"] as? String)
            for (link, target) in links {
                #expect(
                    try FileManager.default.destinationOfSymbolicLink(
                        atPath: provision.home.path + "/" + link) == target)
            }
            // And what can't be made is still found before the board is touched.
            try FileManager.default.removeItem(at: report)
            try FileManager.default.removeItem(at: folder.appending(path: "second"))
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/second", withDestinationPath: "missing/report.json")
            let refused = try provision.run(
                Executable.url, try Executable.nativeRun("--report", link))
            refused.expectError("usage", status: 2, link, "No such file or directory")
            #expect(!refused.standardError.contains("flash  "))
        }
    }

    #if os(Linux)
        /// `/dev/full` is opened through a link, so that no mistake could replace it.
        @Test func aFullDiskIsNoSuccess() throws {
            try Executable.withHome { provision in
                _ = try provision.provisionNative()
                let link = provision.home.appending(path: "full")
                try FileManager.default.createSymbolicLink(
                    atPath: link.path, withDestinationPath: "/dev/full")
                let result = try provision("export", "--format", "csv", "--output", link.path)
                #expect(result.status == 2)
                #expect(result.standardError.contains("No space left on device"))
            }
        }

        /// A number that was closed may be another file's by then.
        @Test func noFileIsClosedTwice() throws {
            try Executable.withHome { provision in
                let record = try provision.provisionNative()
                let device = try #require(record["device"] as? String)
                let library = try PreloadedLibrary(
                    "closing", in: provision.home,
                    """
                    #include <dlfcn.h>
                    #include <errno.h>
                    #include <stdlib.h>

                    int close(int file) {
                        static int (*real)(int);
                        if (!real) real = dlsym(RTLD_NEXT, "close");
                        int status = real(file);
                        if (status != 0 && file >= 0 && errno == EBADF) abort();
                        return status;
                    }
                    """)
                let link = provision.home.path + "/full"
                try FileManager.default.createSymbolicLink(
                    atPath: link, withDestinationPath: "/dev/full")
                for (output, status) in [(link, 2 as Int32), (provision.home.path + "/file", 0)] {
                    let result = try provision(
                        in: library.preloaded(),
                        ["export", "--format", "chain", "--device", device, "--output", output])
                    #expect(result.status == status, "\(output): \(result.standardError)")
                }
            }
        }
    #endif
}

extension Executable {
    fileprivate func partialFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: home.path)
            .filter { $0.hasSuffix(".partial") }
    }
}
