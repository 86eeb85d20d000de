import Foundation
import Testing

/// `provision doctor`, where it stands in a firmware package.
@Suite struct DoctorTests {
    private func finding(
        _ subject: String, _ provision: Executable, in folder: URL
    ) throws -> (status: Int32, severity: String?, text: String?, hint: String?) {
        let result = try provision.run(Executable.url, ["doctor", "--json"], in: folder)
        let findings = try #require(try result.json()["findings"] as? [[String: Any]])
        let found = findings.first { $0["subject"] as? String == subject }
        return (
            result.status, found?["severity"] as? String, found?["text"] as? String,
            found?["hint"] as? String
        )
    }

    @Test func itTellsWhichSettingsAreInForce() throws {
        try Executable.withHome { provision in
            let folder = provision.home.appending(path: "package")
            let file = folder.appending(path: "provision.toml")
            let files = FileManager.default
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            let none = try finding("settings", provision, in: folder)
            #expect(none.severity == "note")
            #expect(none.text?.contains("no provision.toml") == true)

            try Data("platform = \"native\"\n".utf8).write(to: file)
            let valid = try finding("settings", provision, in: folder)
            #expect(valid.severity == "good")
            #expect(valid.text?.contains("package/provision.toml") == true)

            try Data("platfrom = \"native\"\n".utf8).write(to: file)
            let wrong = try finding("settings", provision, in: folder)
            #expect(wrong.severity == "problem" && wrong.status == 1)
            #expect(wrong.text?.contains("provision.toml:1: unknown key \"platfrom\"") == true)
            #expect(wrong.hint == "did you mean \"platform\"?")

            try files.removeItem(at: file)
            try files.createDirectory(at: file, withIntermediateDirectories: false)
            let isFolder = try finding("settings", provision, in: folder)
            #expect(isFolder.severity == "problem" && isFolder.status == 1)
            #expect(isFolder.text == "provision.toml is a folder, not a file")
        }
    }

    @Test func oneIsNoPlural() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let registry = try finding("registry", provision, in: Executable.packageRoot)
            #expect(registry.text?.hasPrefix("1 device, ") == true, "\(registry.text ?? "")")
        }
    }
}
