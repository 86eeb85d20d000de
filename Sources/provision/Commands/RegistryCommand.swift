import ArgumentParser
import CBOR
import Foundation
import Provisioning
import Registry

struct RegistryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry",
        abstract: "The record of all keys itself: is it whole, what happened, what comes back.",
        discussion: """
            EXAMPLES
              provision registry verify
              provision registry verify --head 812:9c0f…   it must still begin so
              provision registry log --key 3f9a41c07b22
              provision registry reinstate --key 3f9a41c07b22 --note "revoked by mistake"
            """,
        subcommands: [Verify.self, Log.self, Reinstate.self])

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check every event's hash, and that the tables say what the events say.")

        @Option(
            help: ArgumentHelp(
                "An end of the log that you noted earlier; it must still be part of it, and is noted "
                    + "beside the registry if that note was lost.",
                valueName: "head"))
        var head: String?

        @Flag(help: "Print one JSON document.")
        var json = false

        private struct Report: Encodable {
            let isIntact: Bool
            let events: Int64
            let head: String
            let firstBadEvent: Int64?
            let findings: [String]
        }

        func run() throws {
            let registry = try State().openRegistry(for: .reading, isVerified: true)
            let known = try head.map { text throws -> LogHead in
                guard let head = LogHead(text) else {
                    throw ProvisioningError(
                        .usage, "\"\(text)\" is no end of a log",
                        hint: "give what provision registry verify printed: NUMBER:HASH")
                }
                return head
            }
            let report = try registry.checkIntegrity(against: known)
            if known != nil, report.isIntact { try restoreNote(of: report.head, registry) }
            if json {
                try JSONDocument.print(
                    Report(
                        isIntact: report.isIntact, events: report.eventCount,
                        head: report.head.description, firstBadEvent: report.firstBadEvent,
                        findings: report.findings))
            } else if report.isIntact {
                Terminal.standardOutput.write(
                    "\(report.eventCount.counted("event")), each with the hash of the one before; "
                        + "the tables agree\nhead \(report.head)\n")
            }
            guard report.isIntact else {
                throw ProvisioningError(
                    .registryDamaged,
                    report.findings.first ?? "event \(report.firstBadEvent ?? 0) was altered",
                    hint: report.isNoteLost
                        ? "compare the end of the log with one that you noted elsewhere; to accept "
                            + "it: provision registry verify --head \(report.head)"
                        : Self.wholePart(of: report).map { "restore a copy; \($0)" }
                            ?? "restore a copy")
            }
        }

        /// Where nothing can be written, the registry is as sound, and the next to write is told.
        private func restoreNote(of head: LogHead, _ registry: SQLiteRegistry) throws {
            do {
                guard try registry.restoreNote(of: head) else { return }
                Terminal.standardError.remark(
                    "noted beside \(registry.path) that its log ends at event "
                        + "\(head.sequenceNumber)")
            } catch {
                Terminal.standardError.remark("note: \(error.reason)")
            }
        }

        /// Nil: nothing, or nobody knows. A file whose structure is damaged is not read any further.
        private static func wholePart(of report: RegistryReport) -> String? {
            if let bad = report.firstBadEvent {
                return bad > 1 ? "everything before event \(bad) is whole" : nil
            }
            return report.eventCount > 0
                ? "all \(report.eventCount) events are whole, what was made of them is not" : nil
        }
    }

    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log", abstract: "Every change, oldest first, one JSON document a line.")

        @Option(help: "Only what happened to this key: its thumbprint, or the first 8 digits.")
        var key: String?

        @Option(help: "Only events after this number.")
        var after: Int64 = 0

        func run() throws {
            let registry = try State().openRegistry(for: .reading)
            let output = PartBuffer(Terminal.standardOutput.writePart)
            if let key {
                let thumbprint = try registry.key(thumbprintPrefix: key).thumbprint
                for event in try registry.history(of: thumbprint) { try write(event, to: output) }
            } else {
                try registry.listedSnapshot().forEachEvent(after: after) {
                    try write($0, to: output)
                }
            }
            try output.flush()
        }

        private func write(_ event: RegistryEvent, to output: PartBuffer) throws {
            let line = JSONValue.object([
                "body": .string(event.body), "date": .date(event.date),
                "hash": .octets(event.hash), "kind": .string(event.kind.rawValue),
                "number": .integer(event.sequenceNumber), "subject": .integer(event.subject),
            ])
            try output.append { text in
                line.write(to: &text, .compact)
                text.append(UInt8(ascii: "\n"))
            }
        }
    }

    struct Reinstate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reinstate",
            abstract: "Take a key's revocation back; the log shows that you did.")

        @Option(help: "The key: its thumbprint, or the first 8 digits of it.")
        var key: String

        @Option(help: "Your words for the log.")
        var note: String?

        func run() throws {
            let state = try State()
            let registry = try state.openRegistry(for: .changing)
            try state.warnOfClock(registry)
            let record = try registry.key(thumbprintPrefix: key)
            try registry.reinstate(
                key: record.thumbprint, at: Surroundings.system.now(), note: note)
            Terminal.standardError.remark(
                "key \(record.thumbprint.hexadecimal) of \(record.identity) is pending "
                    + "again; provision the device to give it new credentials")
        }
    }
}
