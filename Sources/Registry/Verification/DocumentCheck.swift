import CBOR
import GRDB
import OpenSSL

/// What is kept must have the digest under which it is kept, and an event must name it.
///
/// Documents are kept in the order in which events name them, so both are read side by side. What
/// stands elsewhere, or is named once more, is looked for at the end.
struct DocumentCheck {
    private let registry: Database
    private let replay: Database
    private let documents: MapCursor<RowCursor, Document>
    /// The first that no event has named yet.
    private var next: Document?
    private var findings: [String] = []

    private struct Document {
        let digest: [UInt8]
        let isAltered: Bool
    }

    /// - Parameter replay: gets a table of what was named out of turn: memory stays constant.
    init(registry: Database, named replay: Database) throws {
        self.registry = registry
        self.replay = replay
        try replay.execute(
            sql: "CREATE TABLE named (digest BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID")
        documents = try registry.makeStatement(sql: "SELECT digest, bytes FROM document").rows {
            let digest = try $0.octets()
            return Document(
                digest: digest, isAltered: SHA256.hash(try $0.octets()) != digest)
        }
        try advance()
    }

    /// An event names this document.
    mutating func name(_ digest: [UInt8]) throws {
        if next?.digest == digest { return try advance() }
        try replay.cachedStatement(sql: "INSERT OR IGNORE INTO named (digest) VALUES (?)")
            .run([.octets(digest)])
    }

    private mutating func advance() throws {
        next = try documents.next()
        if let next, next.isAltered { add(next.digest, "was altered") }
    }

    /// After the last event: what is wrong with the documents, in words.
    mutating func end() throws -> [String] {
        while let document = next {
            try replay.cachedStatement(sql: "DELETE FROM named WHERE digest = ?")
                .run([.octets(document.digest)])
            if replay.changesCount == 0 { add(document.digest, "belongs to no event") }
            try advance()
        }
        // These were named before, or are not there.
        let named = try replay.makeStatement(sql: "SELECT digest FROM named ORDER BY digest").rows {
            try $0.octets()
        }
        let isKept = try registry.makeStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM document WHERE digest = ?)")
        while let digest = try named.next() {
            if try Bool.fetchOne(isKept, arguments: [Octets(digest)]) != true {
                add(digest, "is missing")
            }
        }
        return findings
    }

    private mutating func add(_ digest: [UInt8], _ fault: String) {
        guard findings.count < RegistryReport.maximumFindings else { return }
        findings.append("document \(digest.hexadecimal) \(fault)")
    }
}
