public import Provisioning

/// What `verify` and `checkIntegrity` found.
public struct RegistryReport: Sendable, Hashable {
    /// Events that were read, up to the first bad one.
    public internal(set) var eventCount: Int64 = 0
    /// The last good event: keep it elsewhere, and give it to a later `verify`.
    public internal(set) var head: LogHead = .empty
    /// The first event that is missing, altered, or says what the promises forbid.
    public internal(set) var firstBadEvent: Int64?
    /// Nothing is wrong but that the note beside the registry is missing or damaged: this may be an
    /// older copy.
    public internal(set) var isNoteLost = false
    /// What is wrong, in words, at most `maximumFindings`.
    public internal(set) var findings: [String] = []

    public static let maximumFindings = 100

    public var isIntact: Bool { firstBadEvent == nil && findings.isEmpty }

    mutating func add(_ finding: String) {
        if findings.count < Self.maximumFindings { findings.append(finding) }
    }
}

/// How much the registry holds.
public struct RegistryStatistics: Sendable, Hashable {
    public let deviceCount: Int
    public let keyCounts: [KeyState: Int]
    public let credentialsInForceCount: Int
    public let credentialsRevokedCount: Int
    /// The end of the log; its sequence number is the count of events.
    public let head: LogHead
    public let schemaVersion: Int
    /// Bytes, without the write-ahead log.
    public let databaseSize: Int64
}
