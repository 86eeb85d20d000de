import Foundation
import Testing

/// Flash, provision, attach, on real firmware, through the executable that users run.
@Suite struct MainJobTests {
    @Test(
        arguments: [
            "native", "microbit-qemu", "microbit-qemu-rtt", "mps2-an386-qemu",
            "mps2-an386-qemu-rtt",
        ])
    func sameKeyAgainChangesNothingAndErasingMakesANewOne(platform: String) throws {
        let image = try image(for: platform)
        try Executable.withHome { provision in
            func run(_ more: String...) throws -> [String: Any] {
                let result = try provision.run(
                    Executable.url,
                    ["run", "--platform", platform, "--firmware", image, "--detach", "--json"]
                        + more)
                try #require(result.status == 0, "\(result.standardError)")
                // A program that is started has no memory to read back.
                #expect(
                    result.standardError.contains("read back and compared")
                        == (platform != "native"))
                return try result.json()
            }
            let first = try run()
            #expect(first["isNewKey"] as? Bool == true)
            #expect(first["keyState"] as? String == "active")
            #expect((first["superseded"] as? [String])?.isEmpty == true)
            #expect((first["credentials"] as? [[String: Any]])?.count == 3)

            let second = try run()
            #expect(second["isNewKey"] as? Bool == false)
            #expect(second["thumbprint"] as? String == first["thumbprint"] as? String)
            #expect((second["delivered"] as? [String])?.isEmpty == true)

            let third = try run("--erase")
            let earlier = try #require(first["thumbprint"] as? String)
            #expect(third["isNewKey"] as? Bool == true)
            #expect(third["device"] as? String == first["device"] as? String)
            #expect(third["superseded"] as? [String] == [earlier])

            let keys = try provision("keys", "--json").json()
            let states = (keys["keys"] as? [[String: Any]])?.compactMap { $0["state"] as? String }
            #expect(states?.sorted() == ["active", "revoked"])
            #expect(try provision("registry", "verify").status == 0)
        }
    }

    @Test func twoEmulatedBoardsAreTwoDevices() throws {
        let image = try Firmware.microbit()
        try Executable.withHome { provision in
            for instance in ["one", "two"] {
                let result = try provision(
                    "run", "--platform", "microbit-qemu", "--firmware", image, "--instance",
                    instance, "--detach")
                #expect(result.status == 0, "\(result.standardError)")
            }
            let devices = try provision("devices", "--json").json()["devices"] as? [[String: Any]]
            #expect(Set(devices?.compactMap { $0["device"] as? String } ?? []).count == 2)
        }
    }

    private func image(for platform: String) throws -> String {
        switch platform {
        case "native": try Firmware.native()
        case "microbit-qemu", "microbit-qemu-rtt": try Firmware.microbit()
        default: try Firmware.mps2()
        }
    }
}
