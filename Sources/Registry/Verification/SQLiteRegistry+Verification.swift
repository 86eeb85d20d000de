import GRDB
public import Provisioning

extension SQLiteRegistry {
    /// Checks the chain of the log, and replays it into an empty database of the same schema: each
    /// table must hold what the events say, and the schema must be the one that keeps the promises.
    ///
    /// A registry that was put back whole to an older copy is consistent with itself; only `head`,
    /// kept elsewhere, shows that.
    ///
    /// A note beside the registry that is missing or damaged is a finding, unless there is such a `head`.
    ///
    /// - Parameter head: Where an earlier `verify` saw the end of the log.
    /// - Throws: only if the file can't be read; what is wrong in it is in the report.
    public func verify(against head: LogHead? = nil) throws(ProvisioningError) -> RegistryReport {
        checkingNote(try read { try Self.replay($0, against: head) }, against: head)
    }

    private func checkingNote(_ report: RegistryReport, against head: LogHead?) -> RegistryReport {
        guard head == nil, let fault = headFile.fault(isEmpty: report.eventCount == 0) else {
            return report
        }
        var report = report
        report.isNoteLost = report.isIntact
        report.add(fault)
        return report
    }

    /// Why nothing beside the registry shows that it is its newest copy; nil if something does, or
    /// nothing was recorded yet.
    public func noteFault() throws(ProvisioningError) -> String? {
        guard headFile.fault(isEmpty: false) != nil else { return nil }
        return headFile.fault(isEmpty: try lastChange() == nil)
    }

    /// Notes the end of the log anew, where the note is missing or damaged: the user has compared it
    /// with one that was kept elsewhere.
    ///
    /// - Parameter head: of a report without findings.
    /// - Returns: false if there was nothing to do.
    /// - Throws: `.registryUnavailable` if the note can't be written.
    public func restoreNote(of head: LogHead) throws(ProvisioningError) -> Bool {
        guard headFile.fault(isEmpty: head == .empty) != nil else { return false }
        try headFile.replace(with: head)
        return true
    }

    private static func replay(_ database: Database, against head: LogHead?) throws
        -> RegistryReport
    {
        do {
            return try Verification.run(database, against: head)
        } catch let error as DatabaseError where error.isOfDisk {
            throw ProvisioningError.temporaryFile(
                "the log can't be replayed in a temporary file: \(error.message ?? "disk error")")
        }
    }

    /// `verify`, and before it SQLite's own check of the file's structure.
    public func checkIntegrity(
        against head: LogHead? = nil
    ) throws(ProvisioningError) -> RegistryReport {
        let report = try read { database in
            let lines = try String.fetchAll(database, sql: "PRAGMA quick_check(20)")
            guard lines == ["ok"] else {
                var report = RegistryReport()
                for line in lines { report.add("the file is damaged: \(line)") }
                return report
            }
            return try Self.replay(database, against: head)
        }
        return checkingNote(report, against: head)
    }

    /// Counts for a summary.
    public func statistics() throws(ProvisioningError) -> RegistryStatistics {
        try read { database in
            func count(_ sql: String) throws -> Int {
                try Int.fetchOne(database, sql: "SELECT count(*) FROM " + sql) ?? 0
            }
            var keyCounts: [KeyState: Int] = [:]
            for state in KeyState.allCases {
                keyCounts[state] = try count("key WHERE state = '\(state.rawValue)'")
            }
            let pages = try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            let pageSize = try Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 0
            let inForce = try count("credential WHERE state = 'in-force'")
            return RegistryStatistics(
                deviceCount: try count("device"), keyCounts: keyCounts,
                credentialsInForceCount: inForce,
                credentialsRevokedCount: try count("credential") - inForce,
                head: try EventLog.head(of: database), schemaVersion: schemaVersion,
                databaseSize: pages * pageSize)
        }
    }
}

extension DatabaseError {
    /// It is about the room or the disk that a file has, not about what is in it.
    var isOfDisk: Bool { [.SQLITE_FULL, .SQLITE_IOERR].contains(resultCode) }
}
