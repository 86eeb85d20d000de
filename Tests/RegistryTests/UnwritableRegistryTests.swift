import Foundation
import GRDB
import Provisioning
import Testing

@testable import Registry

/// A registry on a file system where nothing can be written, opened to be read. Root may write wherever
/// a mode forbids it, so these tests open as if it did.
@Suite struct UnwritableRegistryTests {
    let files = try! TemporaryRegistry()

    /// Three devices with a key each: two events for each of them.
    private static let eventCount = 6

    /// Leaves nothing of SQLite's beside the file.
    private func fill() throws {
        let registry = try files.open()
        for key in 1...3 {
            _ = try registry.register(claim(key, device: identity(key)), at: noon)
        }
        try registry.pool.close()
    }

    private func events(_ path: String) throws -> Int? {
        let pool = try SQLiteRegistry.openReadOnly(path)
        defer { try? pool.close() }
        return try pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM event") }
    }

    private func list(_ folder: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder))
    }

    /// In folders whose names a URI would read in another way.
    @Test(arguments: ["plain", "a b", "50%25", "what?", "#1", "ü&x=1"])
    func `It is read, and nothing is made beside it`(_ name: String) throws {
        try fill()
        let folder = "\(files.folder)/\(name)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        let path = "\(folder)/registry.sqlite"
        for suffix in ["", "-head"] {
            try FileManager.default.copyItem(atPath: files.path + suffix, toPath: path + suffix)
        }
        let before = try list(folder)
        #expect(try events(path) == Self.eventCount)
        #expect(try list(folder) == before)
        let pool = try SQLiteRegistry.openReadOnly(path)
        let error = #expect(throws: DatabaseError.self) {
            try pool.write { try $0.execute(sql: "UPDATE device SET nickname = 'mine'") }
        }
        #expect(error?.resultCode == .SQLITE_READONLY)
    }

    /// The last run died before its changes came into the file.
    @Test func `What stands in the write-ahead log is read, too`() throws {
        let registry = try files.open()
        for key in 1...3 {
            _ = try registry.register(claim(key, device: identity(key)), at: noon)
        }
        let copy = "\(files.folder)/copy.sqlite"
        for suffix in ["", "-wal", "-head"] {
            try FileManager.default.copyItem(atPath: files.path + suffix, toPath: copy + suffix)
        }
        #expect(try #require(FileStatus(copy + "-wal")).length > 0)
        #expect(try events(copy) == Self.eventCount)
    }

    @Test func `Another schema can't be brought up to date here`() throws {
        try fill()
        try files.execute("PRAGMA user_version = 4711")
        #expect(failure { _ = try events(files.path) }?.code == .registryNewer)
        for version in [0, -1] {
            try files.execute("PRAGMA user_version = \(version)")
            let error = failure { _ = try events(files.path) }
            #expect(error?.code == .registryDamaged)
            #expect(error?.reason.contains("schema version \(version)") == true)
        }
    }

    @Test func `A copy older than the note beside it is found`() throws {
        try fill()
        let older = try Data(contentsOf: URL(fileURLWithPath: files.path))
        do {
            let registry = try files.open()
            _ = try registry.register(claim(4, device: identity(4)), at: noon)
            try registry.pool.close()
        }
        try older.write(to: URL(fileURLWithPath: files.path))
        for open in [{ _ = try events(files.path) }, { _ = try files.open() }] {
            let error = failure(open)
            #expect(error?.code == .registryDamaged)
            #expect(error?.reason.contains("ends at event 6, it had 8 before") == true)
            #expect(error?.hint?.contains("\(files.path)-head") == true)
        }
    }

    @Test func `A log that went another way than the note says is found`() throws {
        try fill()
        let other = LogHead(sequenceNumber: 6, hash: [UInt8](repeating: 7, count: 32))
        HeadFile(registry: files.path).note(other)
        for open in [{ _ = try events(files.path) }, { _ = try files.open() }] {
            let error = failure(open)
            #expect(error?.code == .registryDamaged)
            #expect(error?.reason.contains("event 6 of \(files.path) is not the one") == true)
        }
    }

    @Test func `A file that is gone or empty is no new registry`() throws {
        try fill()
        try Data().write(to: URL(fileURLWithPath: files.path))
        let empty = failure { _ = try files.open() }
        #expect(empty?.code == .registryDamaged)
        #expect(empty?.reason.contains("is empty") == true)

        try FileManager.default.removeItem(atPath: files.path)
        let gone = failure { _ = try files.open() }
        #expect(gone?.code == .registryDamaged)
        #expect(gone?.reason.contains("is gone, and \(files.path)-head tells of 6 events") == true)

        try FileManager.default.removeItem(atPath: files.path + "-head")
        try Data(count: 99).write(to: URL(fileURLWithPath: files.path + "-wal"))
        let journal = failure { _ = try files.open() }
        #expect(journal?.code == .registryDamaged)
        #expect(journal?.reason.contains("-wal holds 99 bytes of it") == true)
        // As the hint says, to go on without what is lost.
        try FileManager.default.removeItem(atPath: files.path + "-wal")
        #expect(try files.open().verify().head == .empty)
    }
}

/// What SQLite says becomes a code, a reason that names the file, and a next step.
@Suite struct DatabaseErrorTests {
    @Test(arguments: [
        (ResultCode.SQLITE_CORRUPT, ErrorCode.registryDamaged, "backup"),
        (.SQLITE_NOTADB, .registryDamaged, "backup"),
        (.SQLITE_BUSY, .registryUnavailable, "end the process"),
        (.SQLITE_LOCKED, .registryUnavailable, "end the process"),
        (.SQLITE_READONLY, .registryUnavailable, "writable"),
        (.SQLITE_PERM, .registryUnavailable, "writable"),
        (.SQLITE_NOMEM, .registryUnavailable, "can be read and written"),
    ])
    func isExplained(_ result: ResultCode, _ code: ErrorCode, _ hint: String) {
        let error = failure {
            try SQLiteRegistry.reporting("/some/registry.sqlite") {
                throw DatabaseError(resultCode: result, message: "what SQLite says")
            }
        }
        #expect(error?.code == code)
        #expect(error?.reason.hasPrefix("/some/registry.sqlite: ") == true)
        #expect(error?.hint?.contains(hint) == true, "\(String(describing: error))")
    }

    /// SQLite does not say which disk, nor what is left of it.
    @Test(arguments: [ResultCode.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN])
    func ofTheDiskSaysWhatIsLeft(_ result: ResultCode) {
        for (path, room) in [
            (NSTemporaryDirectory() + "registry.sqlite", " bytes are free on its disk"),
            ("/no/such/folder/registry.sqlite", "its disk can't be asked"),
        ] {
            let error = failure {
                try SQLiteRegistry.reporting(path) { throw DatabaseError(resultCode: result) }
            }
            #expect(error?.code == .registryUnavailable)
            #expect(error?.reason.contains(room) == true, "\(String(describing: error))")
            #expect(error?.hint != nil)
        }
    }

    /// As with a quota: whatever is free is not this user's.
    @Test(arguments: [
        ResultCode.SQLITE_FULL, .SQLITE_IOERR_WRITE, .SQLITE_IOERR_TRUNCATE, .SQLITE_IOERR_SHMSIZE,
        .SQLITE_IOERR_SHMOPEN, .SQLITE_IOERR_FSYNC,
    ])
    func ofRoomSaysToMakeSome(_ result: ResultCode) {
        let error = failure {
            try SQLiteRegistry.reporting(NSTemporaryDirectory() + "registry.sqlite") {
                throw DatabaseError(resultCode: result)
            }
        }
        #expect(error?.code == .registryUnavailable)
        #expect(
            error?.hint?.contains("make room on the disk") == true, "\(String(describing: error))")
        // The system's word for it is known only where it is ENOSPC.
        #expect(
            error?.hint?.contains("the disk itself fails") == (result != .SQLITE_FULL),
            "\(String(describing: error))")
    }

    @Test func ofAConstraintIsAConflict() {
        let error = failure {
            try SQLiteRegistry.reporting("registry.sqlite") {
                throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "UNIQUE constraint")
            }
        }
        #expect(error?.code == .registryConflict)
        #expect(error?.reason.contains("UNIQUE constraint") == true)
    }
}
