public import COSE
import OpenSSL

/// One record of the append-only log.
public struct RegistryEvent: Sendable, Hashable {
    /// 1, 2, 3 …: the only order of events.
    public let sequenceNumber: Int64
    /// Never before that of the event before, whatever the clock said.
    public let date: NumericDate
    public let kind: RegistryEventKind
    /// The event that began what this one is about: a device, a key, a credential.
    public let subject: Int64
    /// A JSON object with sorted keys, without white space; bytes are lower-case hexadecimal.
    public let body: String
    /// The hash of the event before this one; 32 zero octets for the first.
    public let previous: [UInt8]
    public let hash: [UInt8]

    /// SHA-256 of `previous ‖ seq ‖ at ‖ subject ‖ length of kind ‖ kind ‖ body`.
    ///
    /// `previous` has 32 octets; `seq`, `at` and `subject` are 64-bit integers, big endian; the
    /// length of `kind` is one octet; `kind` and `body` are UTF-8. No two events have the same
    /// octets, for everything before `body` has a known length.
    package static func hash(
        previous: [UInt8], sequenceNumber: Int64, date: NumericDate, subject: Int64, kind: String,
        body: String
    ) -> [UInt8] {
        var octets = previous
        for integer in [sequenceNumber, date.seconds, subject] {
            withUnsafeBytes(of: integer.bigEndian) { octets.append(contentsOf: $0) }
        }
        octets.append(UInt8(truncatingIfNeeded: kind.utf8.count))
        octets.append(contentsOf: kind.utf8)
        octets.append(contentsOf: body.utf8)
        return SHA256.hash(octets)
    }

    /// The hash that these contents ought to have.
    var expectedHash: [UInt8] {
        Self.hash(
            previous: previous, sequenceNumber: sequenceNumber, date: date, subject: subject,
            kind: kind.rawValue, body: body)
    }
}

/// Where the log stood: keep it elsewhere (print it, sign it, send it), and a later `verify` can
/// tell whether the registry was put back to an older copy.
public struct LogHead: Sendable, Hashable, CustomStringConvertible {
    public let sequenceNumber: Int64
    /// 32 octets.
    public let hash: [UInt8]

    public init(sequenceNumber: Int64, hash: [UInt8]) {
        self.sequenceNumber = sequenceNumber
        self.hash = hash
    }

    /// The head of a log without events.
    static let empty = LogHead(sequenceNumber: 0, hash: [UInt8](repeating: 0, count: 32))

    /// `"17:3f0a…"`: the sequence number, and the hash in hexadecimal.
    public var description: String { "\(sequenceNumber):\(Octets(hash).hexadecimal)" }

    /// Nil unless `description` is what `description` gives.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int64(parts[0]), number >= 0,
            let hash = Octets(hexadecimal: String(parts[1])), hash.bytes.count == SHA256.length
        else { return nil }
        self.init(sequenceNumber: number, hash: hash.bytes)
    }
}

extension RegistryEvent: RowRecord {
    /// What `init` reads, for lists of columns.
    static let columns =
        "event.seq, event.at, event.kind, event.subject, event.body, event.previous, event.hash"

    /// Of these columns.
    var values: [SQLiteValue] {
        [
            .integer(sequenceNumber), .integer(date.seconds), .text(kind.rawValue),
            .integer(subject), .text(body), .octets(previous), .octets(hash),
        ]
    }

    init(_ row: inout RowReader) throws {
        sequenceNumber = try row.integer()
        date = try row.date()
        kind = try row.choice()
        subject = try row.integer()
        body = try row.text()
        previous = try row.octets()
        hash = try row.octets()
    }
}
