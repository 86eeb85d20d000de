import Foundation
import Testing

/// An authority that signed what the registry holds, and is gone: a new one under its name would make a
/// revocation list that calls every key of the first one good.
@Suite struct LostAuthorityTests {
    private func withLost(
        _ body: (_ provision: Executable, _ folder: URL, _ copy: URL) throws -> Void
    ) throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let folder = provision.home.appending(path: "authority")
            let copy = provision.home.appending(path: "copy")
            try FileManager.default.moveItem(at: folder, to: copy)
            try body(provision, folder, copy)
        }
    }

    private func finding(_ provision: Executable) throws -> (severity: String?, text: String?) {
        let findings = try provision("doctor", "--json").json()["findings"] as? [[String: Any]]
        let found = try #require(findings).first { $0["subject"] as? String == "authority" }
        return (found?["severity"] as? String, found?["text"] as? String)
    }

    @Test func isNeverReplacedSilently() throws {
        try withLost { provision, folder, copy in
            let events = try provision("registry", "log").text
            for command in [
                ["export", "--format", "crl"], try Executable.nativeRun("--erase"),
                ["authority", "create"], ["authority", "show"],
            ] {
                let result = try provision.run(Executable.url, command)
                result.expectError(
                    "authority-lost", status: 9, "registry.sqlite has credentials signed with",
                    "there is no authority in \(folder.path)")
                #expect(result.hint?.contains("authority create --replace") == true, "\(command)")
                #expect(!result.text.contains("X509 CRL"), "\(command)")
                #expect(!FileManager.default.fileExists(atPath: folder.path), "\(command)")
            }
            #expect(try provision("registry", "log").text == events)
            let lost = try finding(provision)
            #expect(lost.severity == "problem")
            #expect(lost.text?.contains("there is no authority in") == true)

            try FileManager.default.moveItem(at: copy, to: folder)
            #expect(try finding(provision).severity == "good")
            #expect(try provision("export", "--format", "crl").status == 0)
            try provision.expectToContinue()
        }
    }

    @Test func anotherOneInItsPlaceIsRefused() throws {
        try withLost { provision, folder, copy in
            try Executable.withHome { other in
                #expect(try other("authority", "create").status == 0)
                try FileManager.default.moveItem(
                    at: other.home.appending(path: "authority"), to: folder)
            }
            for command in [["export", "--format", "crl"], try Executable.nativeRun()] {
                try provision.run(Executable.url, command).expectError(
                    "authority-lost", status: 9, "registry.sqlite has credentials signed with",
                    "the one in \(folder.path) has the key")
            }
            #expect(try finding(provision).severity == "problem")
            // Whoever wants a new one does not get this one under another name.
            let named = try provision("authority", "create", "--replace", "--name", "Mine")
            named.expectError(
                "authority-lost", status: 9, "an authority in \(folder.path)",
                "a new name would not be its")
            #expect(try finding(provision).severity == "problem")
            // As after a `create --replace` that was cut off: adopted, and never in silence.
            let adopted = try provision("authority", "create", "--replace")
            #expect(adopted.status == 0, "\(adopted.standardError)")
            #expect(
                adopted.standardError.contains("adopted the authority that is in \(folder.path)"))
            #expect(try finding(provision).severity == "good")
            try provision.expectToContinue()
        }
    }

    @Test func isReplacedWhereThatIsMeant() throws {
        try withLost { provision, folder, copy in
            let made = try provision("authority", "create", "--replace", "--json")
            #expect(made.status == 0, "\(made.standardError)")
            #expect(!made.standardError.contains("adopted"))
            #expect(try finding(provision).severity == "good")
            #expect(try provision("export", "--format", "crl").text.contains("X509 CRL"))
            try provision.expectToContinue()
            try provision.expectToContinue("--erase")
            try provision("authority", "create", "--replace").expectError(
                "authority-unavailable", status: 9, "\(folder.path) exists already")
        }
    }

    /// Before any credential was signed, there is nothing that a new one would hide.
    @Test func oneThatSignedNothingIsMadeAnew() throws {
        try Executable.withHome { provision in
            #expect(try provision("authority", "create").status == 0)
            try FileManager.default.removeItem(at: provision.home.appending(path: "authority"))
            #expect(try finding(provision).severity == "note")
            _ = try provision.provisionNative()
        }
    }
}
