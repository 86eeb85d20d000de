import CBOR
import Foundation
import Testing

/// Names and paths that would control a terminal, or pass for lines of this program. A script may have them
/// from anywhere.
@Suite struct ForeignTextTests {
    private static let forged = "provision: forged"
    /// A colour, a title, a line and a tab, text that turns, and a control of eight bits.
    private static let text = "A\u{1b}[31mX\u{1b}]0;t\u{7}\n\(forged)\tY\u{202e}\u{9b}1mZ"

    private static let commands: [[String]] = [
        [text], ["--" + text], ["help", text], ["--generate-completion-script", text],
        ["enroll", "--platform", text], ["enroll", "--platform", "native", "--" + text],
        ["enroll", "--platform", "native", "--port", text],
        ["enroll", "--platform", "native", "--device", text],
        ["enroll", "--platform", "native", "--baud", text],
        ["enroll", "--platform", "native", "--port", "/dev/null", "--credentials", text],
        ["enroll", "--platform", "microbit", "--port", "/dev/null", "--probe", text],
        ["run", "--platform", "native", "--detach", "--firmware", text],
        ["run", "--platform", "native", "--detach", "--package-path", text],
        ["run", "--platform", "native", "--detach", "--report", text + "/report"],
        ["emulate", text], ["emulate", "native", "--firmware", "/bin/true", "--instance", text],
        ["devices", "name", text, "lamp"], ["keys", "--device", text], ["keys", "--state", text],
        ["revoke", "--device", text], ["revoke", "--key", text], ["revoke", "--certificate", text],
        ["revoke", "--device", "aa", "--reason", text],
        ["export", "--format", text], ["export", "--format", "csv", "--output", "/none/" + text],
        ["platforms", "--platforms", text], ["registry", "verify", "--head", text],
        ["authority", "create", "--name", text],
    ]

    @Test(arguments: commands) func anArgumentIsHarmless(_ command: [String]) throws {
        try Executable.withHome { provision in
            let result = try provision.run(Executable.url, command)
            #expect(result.status != 0)
            #expect(result.errorCode != nil, "\(result.standardError)")
            Self.expectHarmless(result)
        }
    }

    @Test(arguments: [
        "A\u{202e}B", "A\u{9b}31mB", "A\u{ad}B", "A\u{e000}B", "",
        String(repeating: "x", count: 49),
    ])
    func anAuthorityHasAPrintableName(_ name: String) throws {
        try Executable.withHome { provision in
            let result = try provision("authority", "create", "--name", name)
            result.expectError("usage", status: 2, "--name has 1 to 48 printable characters")
            Self.expectHarmless(result)
            #expect(!FileManager.default.fileExists(atPath: provision.home.path + "/authority"))
        }
    }

    /// The home's path stands in reasons, hints and tables.
    @Test func thePathOfTheStateIsHarmless() throws {
        try Executable.withHome { outer in
            let provision = Executable(home: outer.home.appending(path: Self.text))
            for command in [["devices"], ["authority", "show"], ["doctor"]] {
                Self.expectHarmless(try provision.run(Executable.url, command))
            }
            let run = try provision.run(
                Executable.url,
                ["run", "--platform", "native", "--firmware", try Firmware.native(), "--detach"])
            #expect(run.status == 0, "\(run.standardError)")
            Self.expectHarmless(run)
            for command in [
                ["devices"], ["authority", "show"], ["doctor"], ["registry", "verify"],
            ] {
                let result = try provision.run(Executable.url, command)
                #expect(result.status == 0, "\(result.standardError)")
                Self.expectHarmless(result)
            }
        }
    }

    private static func expectHarmless(
        _ result: Executable.Result, at location: SourceLocation = #_sourceLocation
    ) {
        let text = result.text + result.standardError
        #expect(!text.isEmpty, sourceLocation: location)
        #expect(
            text.unicodeScalars.allSatisfy { $0 == "\n" || $0.isPrintable },
            "\(text.debugDescription)", sourceLocation: location)
        #expect(
            !text.split(separator: "\n").contains { $0.hasPrefix(forged) }, "\(text)",
            sourceLocation: location)
    }
}
