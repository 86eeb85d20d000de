import Foundation
import Testing

/// One board, and what must hold once its next run is over.
struct KillBench {
    let provision: Executable
    /// Of a run that ends by itself.
    private var arguments: [String] { board + ["--detach", "--json"] }
    private let board: [String]
    private let environment: [String: String]

    init(
        _ provision: Executable, _ platform: String, _ image: String, instance: String = "board"
    ) throws {
        try self.init(
            provision,
            ["--platform", platform, "--firmware", image, "--instance", instance])
    }

    /// - Parameter board: options that say which one, and where its firmware comes from.
    init(_ provision: Executable, _ board: [String]) throws {
        self.provision = provision
        let temporary = provision.home.appending(path: "tmp")
        try FileManager.default.createDirectory(
            at: temporary, withIntermediateDirectories: true)
        self.environment = ["TMPDIR": temporary.path]
        self.board = ["run"] + board
    }

    func start(
        _ more: [String], environment: [String: String] = [:], output: FullPipe? = nil
    ) throws -> KillableRun {
        try KillableRun(
            provision, arguments + more,
            environment: self.environment.merging(environment) { $1 }, output: output)
    }

    /// A run that stays, once the device is provisioned, and shows what it says.
    func startAttached(_ more: [String]) throws -> KillableRun {
        try KillableRun(provision, board + more, environment: environment)
    }

    /// The board is provisioned, has one key that is in force, and the record is intact.
    func expectNextRun(after run: KillableRun?, _ comment: Comment) throws {
        try expectNoProcesses(comment)
        let isRegistered = run?.steps.last.map(KillTests.stepsWithRegisteredKey.contains)
        let before = isRegistered == true ? try validKeys() : nil
        let result = try provision.run(Executable.url, arguments, in: provision.home)
        try #require(result.status == 0, "\(comment): \(result.standardError)")
        let report = try result.json()
        let device = try #require(report["device"] as? String)
        let thumbprint = try #require(report["thumbprint"] as? String)
        #expect((report["credentials"] as? [Any])?.count == 3, comment)
        if let before {
            #expect(before[device] == [thumbprint], comment)
            #expect(report["isNewKey"] as? Bool == false, comment)
        }
        // The device has just named its credentials and signed with its key: it is active.
        #expect(report["keyState"] as? String == "active", comment)
        #expect(try validKeys()[device] == [thumbprint], comment)
        try expectSoundRecord(comment)
    }

    private func expectSoundRecord(_ comment: Comment) throws {
        let verification = try provision("registry", "verify")
        #expect(verification.status == 0, "\(comment): \(verification.standardError)")
    }

    /// Thumbprints of the keys that are not revoked, by device.
    private func validKeys() throws -> [String: [String]] {
        let keys = try provision("keys", "--json").json()["keys"] as? [[String: Any]]
        var valid: [String: [String]] = [:]
        for key in try #require(keys) where key["state"] as? String != "revoked" {
            let device = try #require(key["device"] as? String)
            valid[device, default: []].append(try #require(key["thumbprint"] as? String))
        }
        return valid
    }

    /// A killed process's children are killed by the kernel, but not in no time.
    private func expectNoProcesses(_ comment: Comment) throws {
        for _ in 0..<6000 {
            if try LiveProcesses.of(provision.home).isEmpty { return }
            usleep(10_000)
        }
        let left = try LiveProcesses.of(provision.home)
        Issue.record("\(comment): processes \(left) are left")
    }

    /// The record is intact, and nothing lies about that a killed run left.
    func expectClean() throws {
        try expectSoundRecord("at the end")
        let files = try FileManager.default.contentsOfDirectory(atPath: provision.home.path)
        let known: Set = [
            "authority", "emulated", "registry.sqlite", "registry.sqlite-head",
            "registry.sqlite-shm", "registry.sqlite-wal", "tmp",
        ]
        #expect(known.isSuperset(of: files), "\(files)")
        let boards = provision.home.appending(path: "emulated")
        for board in try FileManager.default.contentsOfDirectory(atPath: boards.path) {
            let files = try FileManager.default.contentsOfDirectory(
                atPath: boards.appending(path: board).path)
            let known: Set = ["lock", "device", "device-id", "memory-0.bin", "memory-21000000.bin"]
            #expect(known.isSuperset(of: files), "\(files)")
        }
        let temporary = provision.home.appending(path: "tmp")
        let left = try FileManager.default.contentsOfDirectory(atPath: temporary.path)
        // SQLite unlinks its temporary files as soon as it has opened them, but not in no time.
        #expect(left.filter { !$0.hasPrefix("etilqs_") } == [])
    }
}
