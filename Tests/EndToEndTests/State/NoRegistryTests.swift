import Foundation
import Testing

/// A `PROVISION_HOME` that was mistyped, or not used yet: what only reads makes nothing there.
@Suite struct NoRegistryTests {
    /// As a user who mistyped the folder's name.
    private func expectNothingMade(
        _ body: (Executable, _ registry: String) throws -> Void
    ) throws {
        try Executable.withHome { provision in
            let mistyped = Executable(home: provision.home.appending(path: "mistyped"))
            try body(mistyped, mistyped.home.path + "/registry.sqlite")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: provision.home.path).isEmpty)
        }
    }

    @Test func whatNeedsARegistrySaysThatThereIsNone() throws {
        try expectNothingMade { provision, registry in
            for command in [
                ["registry", "verify"], ["registry", "verify", "--json"], ["registry", "log"],
                ["registry", "reinstate", "--key", "3f9a41c07b22"],
                ["keys", "--device", "4556c50470c5afea"],
                ["devices", "name", "4556c50470c5afea", "kitchen"],
                ["revoke", "--device", "4556c50470c5afea"],
                ["export", "--format", "csv"], ["export", "--format", "crl"],
                ["export", "--format", "chain", "--device", "kitchen"],
            ] {
                let result = try provision.run(Executable.url, command)
                result.expectError("not-found", status: 8, "there is no registry \(registry)")
                #expect(result.hint?.contains("PROVISION_HOME") == true, "\(command)")
                #expect(result.text.isEmpty == !command.contains("--json"), "\(command)")
            }
        }
    }

    @Test func listsAreEmptyAndSayWhy() throws {
        try expectNothingMade { provision, registry in
            for list in ["devices", "keys"] {
                for more in [[], ["--json"]] {
                    let result = try provision.run(Executable.url, [list] + more)
                    #expect(result.status == 0, "\(result.standardError)")
                    #expect(result.standardError.contains("there is no registry \(registry) yet"))
                    if more.isEmpty {
                        #expect(result.text.isEmpty)
                    } else {
                        #expect((try result.json()[list] as? [Any])?.isEmpty == true)
                    }
                }
            }
        }
    }

    @Test func doctorMakesNothing() throws {
        try expectNothingMade { provision, registry in
            let findings = try provision("doctor", "--json").json()["findings"] as? [[String: Any]]
            let found = try #require(findings).first { $0["subject"] as? String == "registry" }
            #expect(found?["severity"] as? String == "note")
            #expect(found?["text"] as? String == "none yet in \(registry)")
        }
    }

    /// Nor does whatever only reads change what there is, or leave something beside it.
    @Test func readingChangesNothing() throws {
        try Executable.withHome { provision in
            let record = try provision.provisionNative()
            let device = try #require(record["device"] as? String)
            func state() throws -> [String: Data?] {
                let files = try FileManager.default.subpathsOfDirectory(
                    atPath: provision.home.path)
                return Dictionary(
                    uniqueKeysWithValues: files.map {
                        ($0, FileManager.default.contents(atPath: provision.home.path + "/" + $0))
                    })
            }
            let before = try state()
            #expect(before.keys.contains("registry.sqlite"))
            for command in [
                ["doctor"], ["devices"], ["devices", "--json"], ["keys", "--device", device],
                ["registry", "verify"], ["registry", "log"], ["authority", "show"],
                ["export", "--format", "jsonl"],
                ["export", "--format", "chain", "--device", device],
            ] {
                let result = try provision.run(Executable.url, command)
                #expect(result.status == 0 && !result.text.isEmpty, "\(command)")
                let after = try state()
                #expect(Set(before.keys) == Set(after.keys), "\(command)")
                for (name, content) in before {
                    #expect(after[name] == content, "\(command): \(name)")
                }
            }
        }
    }

    /// A registry that is gone is no registry that was never there.
    @Test func doctorMissesARegistryThatIsGone() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(
                    atPath: provision.home.path + "/registry.sqlite" + suffix)
            }
            let result = try provision("doctor", "--json")
            #expect(result.status == 1)
            #expect(result.text.contains("registry.sqlite is gone, and"), "\(result.text)")
        }
    }
}
