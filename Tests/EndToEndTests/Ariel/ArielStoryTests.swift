import Foundation
import Testing

/// Ariel OS's roadmap for provisioning (ariel-os#446), played with what its firmware logs: devices get keys of
/// their own, a new key revokes the earlier one, and "all my devices" is a list that others compile in. The
/// log lines are made in the form of its pull request 453.
@Suite struct ArielStoryTests {
    /// Coordinates of points on P-256, for keys that nobody has.
    private enum Key {
        static let first = "91306c2acc2cdfc12695e307198ee5246d7e7b0474c70d5e2fa8998bc1d2e1a7"
        static let second = "e0b8421863139e74a533511b99e58d9faba62d774f1ce45a53c77f97ac83606f"
        static let reflashed = "9507c7ce785a2f2b8ce775048a782daeb9d38a0824a84d88ac15420061b3c896"
    }

    @Test func twoBoardsAndAThirdParty() throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            let judge = CoAPJudge(provision: desk.provision)
            let peers = desk.provision.home.path + "/peers.yml"
            /// Flashes a board, whose firmware then prints the line; and its earlier key goes.
            func flash(_ id: [UInt8], _ key: String) throws {
                let log = try desk.file(
                    "boot.log", ArielLog.provisioned(board: "native", id: id, x: key))
                let platform = try desk.monitored(#"echo "flashing $1"; cat "\#(log)""#)
                let run = try desk.run(["run", "--firmware", image, "--detach"] + platform)
                try #require(run.status == 0, "\(run.standardError)")
            }
            func loaded() throws -> Set<String> {
                let list = try judge("ariel", peers)["peers"] as? [String: Any]
                return Set(try #require(list).keys)
            }
            let watch = try BackgroundRun(
                desk.provision,
                [
                    "export", "--format", "ariel-peers", "--scope", "allow-all", "--output", peers,
                    "--watch",
                ])
            #expect(watch.says("follows the registry"))
            func shows(_ keys: Set<String>) throws {
                var found: Set<String> = []
                for _ in 0..<1200 where found != keys {
                    usleep(50_000)
                    guard FileManager.default.fileExists(atPath: peers) else { continue }
                    found = try loaded()
                }
                #expect(found == keys, "\(watch.errorOutput)")
            }

            try flash([1, 1, 1, 1], Key.first)
            try flash([2, 2, 2, 2], Key.second)
            try shows([Key.first, Key.second])

            try flash([1, 1, 1, 1], Key.reflashed)
            try shows([Key.reflashed, Key.second])
            #expect(try desk.provision.keys()["revoked"]?.count == 1)

            let retired = try desk.provision(
                "revoke", "--device", "02020202", "--reason", "cessation-of-operation")
            try #require(retired.status == 0, "\(retired.standardError)")
            try shows([Key.reflashed])

            // Nothing that peers go by: what a build tool goes by stays as it is.
            func date() throws -> Date? {
                try FileManager.default.attributesOfItem(atPath: peers)[.modificationDate] as? Date
            }
            let before = try date()
            #expect(try desk.provision("devices", "name", "01010101", "kitchen").status == 0)
            usleep(1_500_000)
            #expect(try date() == before)
            // `make clean`.
            try FileManager.default.removeItem(atPath: peers)
            try shows([Key.reflashed])
            #expect(watch.interrupt() == 0)
            #expect(try desk.provision("registry", "verify").status == 0)
        }
    }
}
