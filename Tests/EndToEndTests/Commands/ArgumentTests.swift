import Foundation
import Testing

/// Arguments that no run can use are wrong usage, not a crash.
@Suite struct ArgumentTests {
    @Test(arguments: ["0", "299", "12000001", "4294967296", "99999999999"])
    func aBaudRateThatNoPortHasIsWrongUsage(rate: String) throws {
        try Executable.withHome { provision in
            // The rate is looked at first: there is no such port.
            let result = try provision(
                "enroll", "--platform", "native", "--port", "/nonexistent", "--baud", rate)
            #expect(result.status == 2, "\(result.standardError)")
            #expect(result.standardError.contains("not \(rate)"))
        }
    }

    /// Somebody's file from the days of Latin-1: no other name is made of it.
    @Test(arguments: [
        #""$0" run --platform native --firmware "$(printf 'caf\351.elf')""#,
        #""$0" run --json --platform "$(printf 'nat\377')""#,
        #""$0" "$(printf '\200')""#, #""$0" devices name 0102 "$(printf 'k\303')""#,
    ])
    func whatIsNotUTF8IsNamedByItsPlace(_ script: String) throws {
        try Executable.withHome { provision in
            let result = try provision.run(
                URL(filePath: "/bin/sh"), ["-c", script, Executable.url.path])
            let position = script.split(separator: " ").firstIndex { $0.hasPrefix("\"$(") }
            result.expectError(
                "usage", status: 2, "argument \(try #require(position)) is not UTF-8")
            #expect(result.standardOutput.isEmpty != script.contains("--json"))
        }
    }
}
