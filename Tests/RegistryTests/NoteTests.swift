import Foundation
import Provisioning
import Testing

@testable import Registry

/// The note of the log's end, `registry.sqlite-head`: whoever loses it learns that an older copy would not
/// show, and goes on.
@Suite struct NoteTests {
    let files = try! TemporaryRegistry()
    private var note: String { files.path + "-head" }

    struct Damage: CustomStringConvertible, Sendable {
        let description: String
        let finding: String
        let inflict: @Sendable (_ note: String) throws -> Void
    }

    private static func write(_ text: String) -> @Sendable (String) throws -> Void {
        { try Data(text.utf8).write(to: URL(fileURLWithPath: $0)) }
    }

    private static let zeroes = String(repeating: "0", count: 64)

    static let damages = [
        Damage(description: "garbage", finding: "no end of a log", inflict: write("garbage\n")),
        Damage(description: "empty", finding: "no end of a log", inflict: write("")),
        Damage(description: "cut", finding: "no end of a log") { truncate($0, 50) },
        Damage(description: "longer", finding: "no end of a log") {
            try write(try String(contentsOfFile: $0, encoding: .utf8) + " ")($0)
        },
        Damage(
            description: "beyond 64 bits", finding: "no end of a log",
            inflict: write("99999999999999999999:\(zeroes)")),
        Damage(
            description: "negative", finding: "no end of a log", inflict: write("-5:\(zeroes)")),
        Damage(description: "a folder", finding: "no plain file") {
            try FileManager.default.removeItem(atPath: $0)
            mkdir($0, 0o700)
        },
        Damage(description: "a named pipe", finding: "no plain file") {
            try FileManager.default.removeItem(atPath: $0)
            mkfifo($0, 0o600)
        },
        Damage(description: "a link", finding: "it is a link") {
            try FileManager.default.moveItem(atPath: $0, toPath: $0 + "-moved")
            symlink($0 + "-moved", $0)
        },
    ]

    private func fill() throws -> LogHead {
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        #expect(try registry.noteFault() == nil)
        return try registry.verify().head
    }

    @Test(arguments: damages) func `A damaged note is a finding until it is accepted`(
        _ damage: Damage
    ) throws {
        let head = try fill()
        try damage.inflict(note)
        let registry = try files.open()
        #expect(try registry.noteFault()?.contains(damage.finding) == true)
        for report in [try registry.verify(), try registry.checkIntegrity()] {
            #expect(!report.isIntact && report.isNoteLost && report.head == head)
            #expect(report.findings.count == 1)
            #expect(report.findings.first?.contains("\(note) can't be read: ") == true)
        }
        // It does not keep anybody from work, and does not vanish by it.
        _ = try registry.register(claim(2, device: identity(2)), at: noon)
        #expect(try !files.open().verify().isIntact)

        let accepted = try files.open().verify(against: head)
        #expect(accepted.isIntact)
        if damage.description == "a folder" {
            #expect(failure { _ = try registry.restoreNote(of: accepted.head) }?.hint != nil)
            return
        }
        #expect(try registry.restoreNote(of: accepted.head))
        #expect(HeadFile(registry: files.path).read() == .end(accepted.head))
        #expect(try files.open().verify().isIntact)
        #expect(try !registry.restoreNote(of: accepted.head))
    }

    /// Also a registry of a version that had no notes, and one that was put back without it.
    @Test func `A missing note is a finding until the next change`() throws {
        let head = try fill()
        unlink(note)
        let registry = try files.open()
        #expect(try registry.noteFault()?.contains("\(note) is missing") == true)
        let report = try registry.verify()
        #expect(report.isNoteLost && !report.isIntact)
        #expect(try registry.verify(against: head).isIntact)
        _ = try registry.register(claim(2, device: identity(2)), at: noon)
        #expect(try registry.noteFault() == nil)
        #expect(try files.open().verify().isIntact)
    }

    @Test func `A registry in which nothing happened needs no note`() throws {
        let registry = try files.open()
        #expect(HeadFile(registry: files.path).read() == .end(.empty))
        unlink(note)
        #expect(try registry.noteFault() == nil)
        #expect(try registry.verify().isIntact)
    }

    /// What is wrong with the record itself comes first, and is not for the user to accept.
    @Test func `A lost note does not hide what else is wrong`() throws {
        _ = try fill()
        unlink(note)
        try files.tamper("UPDATE device SET nickname = 'door'")
        let report = try files.open().verify()
        #expect(!report.isNoteLost && report.findings.count == 2)
        #expect(report.findings.first?.contains("nickname") == true)
    }

    @Test func `A registry that is gone is no new one because its note is damaged`() throws {
        _ = try fill()
        try Self.write("garbage")(note)
        try FileManager.default.removeItem(atPath: files.path)
        for suffix in ["-wal", "-shm"] { unlink(files.path + suffix) }
        let error = failure { _ = try files.open() }
        #expect(error?.code == .registryDamaged)
        #expect(error?.reason.contains("can't be read: it is no end of a log") == true)
    }

    /// A process that was killed while it made the note.
    @Test func `A draft of a note is in nobody's way`() throws {
        try FileManager.default.createDirectory(
            atPath: files.folder + "/provision", withIntermediateDirectories: true)
        try Self.write("12:")(note + "-new")
        _ = try files.open()
        #expect(HeadFile(registry: files.path).read() == .end(.empty))
        #expect(FileStatus(note + "-new") == nil)
    }
}
