import Foundation
import Testing

/// Started without some of the standard streams, as by a supervisor that closes what it does not need.
@Suite struct ClosedStreamTests {
    @Test(arguments: ["2>&-", "<&-", "<&- 2>&-"])
    func theRunGoesOn(_ redirections: String) throws {
        try Executable.withHome { provision in
            let result = try run(provision, redirections, try Executable.nativeRun())
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try result.json()["keyState"] as? String == "active")
        }
    }

    /// The device is provisioned, and nobody was told, but for the report.
    @Test(arguments: [">&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
    func aResultWithoutAnOutputIsLost(_ redirections: String) throws {
        try Executable.withHome { provision in
            let report = provision.home.appending(path: "report.json")
            let result = try run(
                provision, redirections, try Executable.nativeRun("--report", report.path))
            #expect(result.status == 2, "\(result.standardError)")
            #expect(result.standardOutput.isEmpty)
            if redirections.contains("2>&-") {
                #expect(result.standardError.isEmpty)
            } else {
                result.expectError(
                    "usage", status: 2, "standard output can't be written", "Bad file descriptor")
            }
            let record = try JSONSerialization.jsonObject(with: Data(contentsOf: report))
            #expect((record as? [String: Any])?["keyState"] as? String == "active")
            try provision.expectToContinue()
        }
    }

    private func run(
        _ provision: Executable, _ redirections: String, _ arguments: [String]
    ) throws -> Executable.Result {
        try provision.run(
            URL(filePath: "/bin/sh"),
            ["-c", #"exec "$0" "$@" \#(redirections)"#, Executable.url.path] + arguments)
    }
}
