import Foundation
import Testing

/// What was revoked stays revoked, and only who has a reason revokes.
@Suite struct RevocationTests {
    @Test func aRevokedKeyIsRefusedUntilItIsReinstated() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            func run() throws -> Executable.Result {
                try provision(
                    "run", "--platform", "native", "--firmware", image, "--detach", "--json")
            }
            let record = try run().json()
            let device = try #require(record["device"] as? String)
            let key = try #require(record["thumbprint"] as? String)
            let revocation = try provision(
                "revoke", "--key", String(key.prefix(12)), "--reason", "key-compromise", "--json")
            #expect((try revocation.json()["keys"] as? [Any])?.count == 1)

            let refused = try run()
            #expect(refused.status == 8)
            #expect(refused.standardError.contains("error[key-revoked]"))
            #expect(refused.standardError.contains("key-compromise"))
            let command = "provision registry reinstate --key \(key.prefix(16))"
            #expect(refused.standardError.contains(command))

            #expect(try provision("registry", "reinstate", "--key", key).status == 0)
            let again = try run()
            #expect(again.status == 0, "\(again.standardError)")
            #expect(try again.json()["device"] as? String == device)
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    /// Or else the wrong device's key would be revoked, and the compromised one stay good.
    @Test func anIDIsNobodyElsesNickname() throws {
        try Executable.withHome { provision in
            let first = try #require(try provision.provisionNative()["device"] as? String)
            let second = try provision.provisionNative("--instance", "second")
            let id = try #require(second["device"] as? String)
            let key = try #require(second["thumbprint"] as? String)
            try #require(id != first)
            let named = try provision("devices", "name", first, id)
            named.expectError("usage", status: 2, id)
            #expect(try provision("revoke", "--device", id, "--dry-run").text.contains(key))
            #expect(try provision("revoke", "--device", id).status == 0)
            #expect(try provision.keys()["revoked"] == [key])
            for choice in [["--device", id], ["--key", key]] {
                try provision.run(Executable.url, ["revoke", "--dry-run"] + choice)
                    .expectError("key-revoked", status: 8, key)
            }
        }
    }

    @Test func aCertificateIsRevokedByItsSerialNumber() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let run = try provision(
                "run", "--platform", "native", "--firmware", image, "--detach", "--json")
            let credentials = try #require(try run.json()["credentials"] as? [[String: Any]])
            let certificate = try #require(credentials.first { $0["type"] as? String == "x509" })
            let serial = try #require(certificate["serialNumber"] as? String)
            #expect(try provision("revoke", "--certificate", serial, "--dry-run").status == 0)
            #expect(try provision("revoke", "--certificate", serial).status == 0)
            for more in [[], ["--dry-run"]] {
                try provision.run(
                    Executable.url, ["revoke", "--certificate", serial] + more
                ).expectError("key-revoked", status: 8, serial)
            }

            // The key is still good: the next run gives it a new certificate, and only that.
            let next = try provision(
                "run", "--platform", "native", "--firmware", image, "--detach", "--json"
            ).json()
            #expect(next["isNewKey"] as? Bool == false)
            #expect(next["delivered"] as? [String] == ["x509"])
        }
    }
}
