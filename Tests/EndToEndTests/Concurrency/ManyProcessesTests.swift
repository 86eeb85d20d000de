import Foundation
import Testing

/// One state directory and 32 processes at once: nobody hears of a lock, and nothing is lost.
@Suite struct ManyProcessesTests {
    private static let count = 32

    @Test func thirtyTwoRunsShareOneRegistry() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            func run(_ board: Int, _ more: String...) -> [String] {
                ["run", "--platform", "native", "--instance", "board\(board)", "--firmware", image]
                    + ["--detach", "--json"] + more
            }
            // The first of them make the folder, the registry and the authority, which all use.
            let first = try runAtOnce(provision, (0..<Self.count).map { run($0) })
            let devices = try first.map { try #require(try $0.json()["device"] as? String) }
            #expect(Set(devices).count == Self.count)
            #expect(first.count { $0.errorOutput.contains("created an authority") } == 1)
            try expectOneActiveKeyEach(provision, keyCount: Self.count)
            try expectEvents(
                provision,
                [
                    "device-added": Self.count, "key-registered": Self.count,
                    "key-activated": Self.count, "credential-issued": 2 * Self.count,
                ])

            // Everything that a registry is used for, at once.
            let erased = 12
            let commands =
                (0..<erased).map { run($0, "--erase") }
                + (erased..<16).map { run($0) }
                + (16..<20).map { ["revoke", "--device", devices[$0], "--reason", "superseded"] }
                + (20..<24).map { ["devices", "name", devices[$0], "lamp \($0)"] }
                + [
                    ["registry", "verify"], ["registry", "verify", "--json"],
                    ["registry", "log"], ["export", "--format", "crl"],
                    ["export", "--format", "jsonl"], ["export", "--format", "crl"],
                    ["devices", "--json"], ["keys", "--state", "active"],
                ]
            #expect(commands.count == Self.count)
            let second = try runAtOnce(provision, commands)
            for result in second.prefix(erased) {
                #expect(try result.json()["isNewKey"] as? Bool == true)
                #expect((try result.json()["superseded"] as? [Any])?.count == 1)
            }
            let keys = try keys(of: provision)
            #expect(keys.count == Self.count + erased)
            let inForce = keys.filter { $0["state"] as? String != "revoked" }
            #expect(Set(inForce.compactMap { $0["device"] as? String }).count == Self.count - 4)
            #expect(inForce.count == Self.count - 4)
            #expect(Set(keys.compactMap { $0["nickname"] as? String }).count == 4)
            try expectEvents(
                provision,
                [
                    "device-added": Self.count, "key-registered": Self.count + erased,
                    "key-activated": Self.count + erased, "key-revoked": erased + 4,
                    "credential-issued": 2 * (Self.count + erased), "device-named": 4,
                    // Two lists of two authorities.
                    "list-numbered": 4,
                ])
        }
    }

    /// Every process ends well, and none says a word of locks.
    private func runAtOnce(
        _ provision: Executable, _ commands: [[String]]
    ) throws -> [BackgroundRun] {
        let runs = try commands.map { try BackgroundRun(provision, $0) }
        for (run, command) in zip(runs, commands) {
            #expect(run.wait() == 0, "\(command): \(run.errorOutput)")
            #expect(!run.errorOutput.contains(/locked|busy/.ignoresCase()), "\(run.errorOutput)")
        }
        return runs
    }

    private func expectOneActiveKeyEach(_ provision: Executable, keyCount: Int) throws {
        let keys = try keys(of: provision)
        #expect(keys.count == keyCount)
        #expect(keys.allSatisfy { $0["state"] as? String == "active" })
        #expect(Set(keys.compactMap { $0["device"] as? String }).count == keyCount)
        #expect(Set(keys.compactMap { $0["publicKey"] as? String }).count == keyCount)
        let credentials = keys.flatMap { $0["credentials"] as? [[String: Any]] ?? [] }
        #expect(credentials.count == 2 * keyCount)
        // One authority: its issuing CA, and its key for CWTs.
        #expect(Set(credentials.compactMap { $0["issuer"] as? String }).count == 2)
    }

    private func expectEvents(_ provision: Executable, _ expected: [String: Int]) throws {
        #expect(try provision("registry", "verify").status == 0)
        var kinds: [String: Int] = [:]
        for line in try provision("registry", "log").text.split(separator: "\n") {
            let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            kinds[try #require(event?["kind"] as? String), default: 0] += 1
        }
        #expect(kinds == expected)
    }

    private func keys(of provision: Executable) throws -> [[String: Any]] {
        try #require(try provision("keys", "--json").json()["keys"] as? [[String: Any]])
    }
}
