import Foundation
import GRDB
import Provisioning
import Testing

@testable import Registry

@Suite struct OpeningTests {
    let files = try! TemporaryRegistry()

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    @Test func `The folder and the file are the user's alone`() throws {
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        #expect(try mode(files.folder + "/provision") == 0o700)
        for suffix in ["", "-wal", "-shm"] { #expect(try mode(files.path + suffix) == 0o600) }
        #expect(registry.schemaVersion == RegistrySchema.version)
    }

    @Test func `A newer registry is refused, and both versions are named`() throws {
        _ = try files.open()
        try files.execute("PRAGMA user_version = 4711")
        let error = failure { _ = try files.open() }
        #expect(error?.code == .registryNewer)
        #expect(error?.reason.contains("4711") == true)
        #expect(error?.reason.contains("up to \(RegistrySchema.version)") == true)
        #expect(error?.hint != nil)
        #expect(try files.count("event") == 0)
    }

    @Test func `Another program's database is refused, and left alone`() throws {
        try FileManager.default.createDirectory(
            atPath: files.folder + "/provision", withIntermediateDirectories: true)
        try files.execute("CREATE TABLE mine (a)")
        let before = FileManager.default.contents(atPath: files.path)
        #expect(failure { _ = try files.open() }?.code == .registryDamaged)
        #expect(FileManager.default.contents(atPath: files.path) == before)
    }

    @Test func `A file that is no database is refused`() throws {
        try FileManager.default.createDirectory(
            atPath: files.folder + "/provision", withIntermediateDirectories: true)
        try Data("this is not a registry, it is a letter to my aunt".utf8)
            .write(to: URL(fileURLWithPath: files.path))
        let error = failure { _ = try files.open() }
        #expect(error?.code == .registryDamaged)
        #expect(error?.hint != nil)
    }

    /// Its disk is not mounted, perhaps: a new registry there would know no device.
    @Test func `A link that leads nowhere is refused, and stays`() throws {
        let target = files.folder + "/absent/registry.sqlite"
        try FileManager.default.createDirectory(
            atPath: files.folder + "/provision", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: files.path, withDestinationPath: target)
        for access in [SQLiteRegistry.Access.writing, .changing, .reading] {
            let error = failure { _ = try SQLiteRegistry(path: files.path, for: access) }
            #expect(error?.code == .registryUnavailable, "\(access)")
            #expect(error?.reason.contains(target) == true)
        }
        let found = try FileManager.default.destinationOfSymbolicLink(atPath: files.path)
        #expect(found == target)
    }

    /// Whatever page is overwritten: an error or a finding, never a trap, never silence.
    @Test(arguments: 0..<24) func `A damaged file is found`(_ page: Int) throws {
        do {
            let registry = try files.open()
            for key in 1...20 {
                _ = try registry.register(claim(key, device: identity(key)), at: noon)
                try registry.record([credential(key)], for: thumbprint(key), at: noon)
            }
            try registry.pool.close()
        }
        var bytes = try #require(FileManager.default.contents(atPath: files.path))
        let start = page * 4096
        try #require(start + 4096 <= bytes.count)
        for index in start..<start + 4096 { bytes[index] = UInt8(truncatingIfNeeded: index &* 7) }
        try bytes.write(to: URL(fileURLWithPath: files.path))
        do {
            let report = try files.open().checkIntegrity()
            #expect(!report.isIntact)
        } catch let error as ProvisioningError {
            #expect(error.code == .registryDamaged)
        }
    }

    @Test func `A truncated file is found`() throws {
        do {
            let registry = try files.open()
            for key in 1...20 {
                _ = try registry.register(claim(key, device: identity(key)), at: noon)
            }
            try registry.pool.close()
        }
        let bytes = try #require(FileManager.default.contents(atPath: files.path))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: files.path))
        let error = failure {
            let report = try files.open().checkIntegrity()
            #expect(!report.isIntact)
        }
        #expect(error == nil || error?.code == .registryDamaged)
    }

    @Test func `A place that can't be written is refused, with a hint`() throws {
        // A folder stands where the file should be.
        try FileManager.default.createDirectory(
            atPath: files.path, withIntermediateDirectories: true)
        // A file stands where a folder should be; a file system that takes no files at all.
        let file = files.folder + "/file"
        try Data().write(to: URL(fileURLWithPath: file))
        for path in [files.path, file + "/registry.sqlite", "/proc/provision/registry.sqlite"] {
            let error = failure { _ = try SQLiteRegistry(path: path) }
            #expect(error?.code == .registryUnavailable)
            #expect(error?.hint != nil)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func `A read-only file or folder is refused`() throws {
        _ = try files.open()
        chmod(files.path, 0o400)
        #expect(failure { _ = try files.open() }?.code == .registryUnavailable)
        chmod(files.path, 0o600)
        chmod(files.folder + "/provision", 0o500)
        defer { chmod(files.folder + "/provision", 0o700) }
        #expect(failure { _ = try files.open() }?.code == .registryUnavailable)
    }

    @Test func `Reopening changes nothing`() throws {
        var head: LogHead?
        do {
            let registry = try files.open()
            _ = try registry.register(claim(1, device: identity(1)), at: noon)
            head = try registry.verify().head
        }
        #expect(try files.open().verify(against: head).head == head)
    }
}
