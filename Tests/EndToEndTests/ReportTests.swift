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

    /// As `--output /dev/null` by root, which must not end the device.
    @Test func whatIsNoPlainFileStaysWhatItIs() throws {
        try Executable.withHome { provision in
            let target = provision.home.appending(path: "target.csv")
            let link = provision.home.appending(path: "link.csv")
            try Data("old, and longer than a header line of the export that replaces it".utf8)
                .write(to: target)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
            let result = try provision("export", "--format", "csv", "--output", link.path)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == target.path)
            #expect(try String(contentsOf: target, encoding: .utf8).hasPrefix("board,device,"))
            let files = try FileManager.default.contentsOfDirectory(atPath: provision.home.path)
            #expect(!files.contains { $0.hasSuffix(".partial") })
        }
    }

    #if os(Linux)
        /// `/dev/full` is opened through a link, so that no mistake could replace it.
        @Test func aFullDiskIsNoSuccess() throws {
            try Executable.withHome { provision in
                let link = provision.home.appending(path: "full")
                try FileManager.default.createSymbolicLink(
                    atPath: link.path, withDestinationPath: "/dev/full")
                let result = try provision("export", "--format", "csv", "--output", link.path)
                #expect(result.status == 2)
                #expect(result.standardError.contains("No space left on device"))
            }
        }
    #endif
}
