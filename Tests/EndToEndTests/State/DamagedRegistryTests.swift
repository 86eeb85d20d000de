import Foundation
import Testing

/// What can happen to the registry's file: no command takes it for a sound or a new one, and the file that
/// is put back goes on.
@Suite struct DamagedRegistryTests {
    struct Damage: CustomStringConvertible, Sendable {
        let description: String
        let code: String
        let value: String
        let inflict: @Sendable (Executable) throws -> Void

        init(
            _ description: String, _ code: String, _ value: String,
            _ inflict: @escaping @Sendable (Executable) throws -> Void
        ) {
            (self.description, self.code, self.value) = (description, code, value)
            self.inflict = inflict
        }
    }

    static let damages = [
        Damage("a newer program's", "registry-newer", "version 4711, this program knows up to") {
            try $0.sqlite("PRAGMA user_version = 4711")
        },
        Damage("another program's", "registry-damaged", "another program's database") {
            try FileManager.default.removeItem(atPath: $0.registry)
            try $0.sqlite("CREATE TABLE mine (a)")
        },
        Damage("its header", "registry-damaged", "not a database") {
            try $0.overwrite(0..<16)
        },
        Damage("a page in the middle", "registry-damaged", "registry.sqlite") {
            try $0.overwrite(4096..<40960)
        },
        Damage("half of it", "registry-damaged", "malformed") {
            truncate($0.registry, 40_000)
        },
        Damage("nothing but its name", "registry-damaged", "is empty") {
            truncate($0.registry, 0)
        },
        Damage("gone", "registry-damaged", "is gone, and") {
            try FileManager.default.removeItem(atPath: $0.registry)
        },
        Damage("a folder", "registry-unavailable", "Is a directory") {
            try FileManager.default.removeItem(atPath: $0.registry)
            try FileManager.default.createDirectory(
                atPath: $0.registry, withIntermediateDirectories: false)
        },
        Damage("an older copy", "registry-damaged", "ends at event 5, it had 10 before") {
            try FileManager.default.removeItem(atPath: $0.registry)
            try FileManager.default.copyItem(
                atPath: $0.registry + ".old", toPath: $0.registry)
        },
    ]

    @Test(arguments: damages) func isRefused(damage: Damage) throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            let files = FileManager.default
            try files.copyItem(atPath: provision.registry, toPath: provision.registry + ".old")
            let key = try #require(
                try provision.provisionNative("--erase")["thumbprint"] as? String)
            try files.copyItem(atPath: provision.registry, toPath: provision.registry + ".good")
            try damage.inflict(provision)

            let run = try provision.run(Executable.url, try Executable.nativeRun())
            run.expectError(damage.code, status: 8, provision.registry, damage.value)
            // No step was taken: the device has not even started.
            #expect(!run.standardError.contains("flash  "))
            let commands = [
                ["devices"], ["keys"], ["registry", "verify"], ["export", "--format", "csv"],
            ]
            for command in commands {
                let result = try provision.run(Executable.url, command)
                result.expectError(damage.code, status: 8, damage.value)
            }

            try? files.removeItem(atPath: provision.registry)
            try files.copyItem(atPath: provision.registry + ".good", toPath: provision.registry)
            #expect(try provision.keys()["active"] == [key])
            try provision.expectToContinue()
        }
    }

    /// What the hint of `verify` says to be whole is what was found whole.
    @Test(arguments: [
        (
            "DROP TRIGGER event_update; UPDATE event SET body = '{}' WHERE seq = 3",
            "event_update is missing", "everything before event 3 is whole"
        ),
        (
            "DROP TRIGGER event_update; UPDATE event SET body = '{}' WHERE seq = 1",
            "event_update is missing", nil
        ),
        (
            "DROP TRIGGER device_update; UPDATE device SET nickname = 'mine'",
            "device_update is missing", "all 5 events are whole, what was made of them is not"
        ),
        (nil, "the file is damaged: ", nil),
    ])
    func theHintSaysWhatIsWhole(sql: String?, reason: String, whole: String?) throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            if let sql {
                try provision.sqlite(sql)
            } else {
                let page = try provision.sqlite(
                    "SELECT rootpage FROM sqlite_schema WHERE name = 'event_of_subject'")
                let start = (try #require(Int(page)) - 1) * 4096
                try provision.overwrite(start..<start + 4096)
            }
            let result = try provision("registry", "verify")
            result.expectError("registry-damaged", status: 8, reason)
            let hint = whole.map { "restore a copy; \($0)" } ?? "restore a copy"
            #expect(result.hint?.trimmingCharacters(in: .newlines) == hint)
        }
    }

    /// A log that was not yet moved into the file, from a run that was killed: SQLite reads what it can of
    /// it, without a word.
    @Test func aDamagedJournalIsNoticed() throws {
        try Executable.withHome { provision in
            _ = try provision.provisionNative()
            // A reader that stays keeps SQLite from moving the journal into the file.
            let reader = try Reader(provision.registry)
            _ = try provision.provisionNative("--erase")
            let files = FileManager.default
            for suffix in ["", "-wal"] {
                try files.copyItem(
                    atPath: provision.registry + suffix,
                    toPath: provision.registry + ".copy" + suffix)
            }
            reader.end()
            for suffix in ["-wal", "-shm"] {
                try? files.removeItem(atPath: provision.registry + suffix)
            }
            try files.removeItem(atPath: provision.registry)
            for suffix in ["", "-wal"] {
                try files.moveItem(
                    atPath: provision.registry + ".copy" + suffix,
                    toPath: provision.registry + suffix)
            }
            truncate(provision.registry + "-wal", 100)
            let result = try provision("registry", "verify")
            result.expectError("registry-damaged", status: 8, "ends at event", "it had 10 before")
        }
    }
}

extension Executable {
    fileprivate var registry: String { home.path + "/registry.sqlite" }

    @discardableResult
    fileprivate func sqlite(_ sql: String) throws -> String {
        let result = try run(URL(filePath: "/usr/bin/env"), ["sqlite3", registry, sql])
        try #require(result.status == 0, "\(result.standardError)")
        return result.text.trimmingCharacters(in: .newlines)
    }

    /// With what no page of SQLite's holds.
    fileprivate func overwrite(_ range: Range<Int>) throws {
        var bytes = try Data(contentsOf: URL(filePath: registry))
        try #require(range.upperBound <= bytes.count)
        for index in range { bytes[index] = UInt8(truncatingIfNeeded: index &* 7 &+ 1) }
        try bytes.write(to: URL(filePath: registry))
    }
}

/// `sqlite3` in the middle of a transaction that reads.
private final class Reader {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ database: String) throws {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["sqlite3", database]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let sql = "BEGIN; SELECT count(*) FROM event;\n"
        try input.fileHandleForWriting.write(contentsOf: Data(sql.utf8))
        // The answer: from now on its snapshot is taken.
        try #require(!output.fileHandleForReading.availableData.isEmpty)
    }

    func end() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        input.close()
        output.close()
    }
}
