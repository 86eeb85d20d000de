import Foundation
import GRDB
public import Provisioning
import Synchronization

extension SQLiteRegistry {
    /// The registry as it is now, to be read while others go on writing.
    ///
    /// - Parameter notice: Called once if, while the snapshot is read, others have written so much
    ///   that the write-ahead log has grown by 256 MiB, with its size in bytes.
    public func snapshot(
        onLogGrowth notice: @escaping @Sendable (Int64) -> Void = { _ in }
    ) throws(ProvisioningError) -> RegistrySnapshot {
        try snapshot(noticedGrowth: 256 << 20, onLogGrowth: notice)
    }

    func snapshot(
        noticedGrowth: Int64, onLogGrowth notice: @escaping @Sendable (Int64) -> Void
    ) throws(ProvisioningError) -> RegistrySnapshot {
        try Self.reporting(path) {
            RegistrySnapshot(
                try pool.makeSnapshot(), LogGrowth(path, noticedGrowth, notice), of: self)
        }
    }
}

/// One moment of a registry, for as long as this lives: whatever is read belongs together, and no
/// writer waits for it.
///
/// Streams read in pages, so they take constant memory; what they call may take its time, and may
/// read and write the registry. Meanwhile SQLite can't reuse the write-ahead log: what others write
/// makes it grow.
public final class RegistrySnapshot: Sendable {
    private let snapshot: DatabaseSnapshot
    private let growth: LogGrowth
    /// Its connections are closed after the snapshot's.
    private let registry: SQLiteRegistry

    /// Records that are read at once.
    private static let pageLength = 256

    fileprivate init(
        _ snapshot: DatabaseSnapshot, _ growth: LogGrowth, of registry: SQLiteRegistry
    ) {
        self.snapshot = snapshot
        self.growth = growth
        self.registry = registry
    }

    /// Every device that matches, with its keys, in the order of registration.
    public func forEachDevice(
        matching filter: DeviceFilter = .all, _ body: (DeviceRecord) throws -> Void
    ) throws {
        try forEach(body) { try $0.devices(matching: filter, after: $1, count: Self.pageLength) }
    }

    /// Every key that matches, in the order of registration.
    public func forEachKey(
        matching filter: KeyFilter = .all, _ body: (KeyRecord) throws -> Void
    ) throws {
        try forEach(body) { try $0.keys(matching: filter, after: $1, count: Self.pageLength) }
    }

    /// `forEachDevice`, and for each of its keys all the credentials that were issued for it, oldest
    /// first, the revoked ones too.
    public func forEachDeviceWithCredentials(
        matching filter: DeviceFilter = .all,
        _ body: (DeviceRecord, [[CredentialRecord]]) throws -> Void
    ) throws {
        try forEach({ try body($0.record, $0.credentials) }) {
            try $0.devicesWithCredentials(matching: filter, after: $1, count: Self.pageLength)
        }
    }

    /// `forEachKey`, and all the credentials that were issued for it, oldest first, the revoked ones
    /// too.
    public func forEachKeyWithCredentials(
        matching filter: KeyFilter = .all,
        _ body: (KeyRecord, [CredentialRecord]) throws -> Void
    ) throws {
        try forEach({ try body($0.record, $0.credentials) }) {
            try $0.keysWithCredentials(matching: filter, after: $1, count: Self.pageLength)
        }
    }

    /// How many keys `forEachKey` gives.
    public func keyCount(matching filter: KeyFilter = .all) throws(ProvisioningError) -> Int {
        try read { try $0.keyCount(matching: filter) }
    }

    /// Every revoked certificate of an issuer, also those whose key was revoked: what the list with
    /// this number says.
    public func forEachRevokedCertificate(
        of issuer: [UInt8], before number: CRLNumber, _ body: (RevokedCertificate) throws -> Void
    ) throws {
        try forEach(body) {
            try $0.revokedCertificates(
                of: issuer, before: number.row, after: $1, count: Self.pageLength)
        }
    }

    /// Every event after `sequenceNumber`, in order.
    public func forEachEvent(
        after sequenceNumber: Int64 = 0, _ body: (RegistryEvent) throws -> Void
    ) throws {
        try forEach(body) {
            try $0.events(after: $1?.row ?? sequenceNumber, count: Self.pageLength)
        }
    }

    /// Page after page; `body` is called between them, when nothing is being read.
    private func forEach<Record: RegistryRow>(
        _ body: (Record) throws -> Void, _ page: (Database, RegistryCursor?) throws -> [Record]
    ) throws {
        var cursor: RegistryCursor?
        while true {
            let records = try read { try page($0, cursor) }
            try records.forEach(body)
            growth.check()
            guard let last = records.last, records.count == Self.pageLength else { return }
            cursor = RegistryCursor(row: last.row)
        }
    }

    private func read<Value>(
        _ body: (Database) throws -> Value
    ) throws(ProvisioningError) -> Value {
        try SQLiteRegistry.reporting(growth.path) { try snapshot.read(body) }
    }
}

/// Watches the write-ahead log, which SQLite can't reuse while a snapshot lives.
private final class LogGrowth: Sendable {
    let path: String
    private let limit: Int64
    /// Nil: it was called.
    private let notice: Mutex<(@Sendable (Int64) -> Void)?>

    init(_ path: String, _ growth: Int64, _ notice: @escaping @Sendable (Int64) -> Void) {
        self.path = path
        limit = Self.size(path) + growth
        self.notice = Mutex(notice)
    }

    func check() {
        let size = Self.size(path)
        guard size > limit else { return }
        let notice = notice.withLock { notice in
            defer { notice = nil }
            return notice
        }
        notice?(size)
    }

    /// Bytes; 0 if there is no log.
    private static func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path + "-wal", &status) == 0 ? Int64(status.st_size) : 0
    }
}

/// A record that has its place in the order of the log.
protocol RegistryRow: Sendable {
    /// The event that began it.
    var row: Int64 { get }
}

extension DeviceRecord: RegistryRow {}
extension KeyRecord: RegistryRow {}
extension RevokedCertificate: RegistryRow {}
extension RegistryEvent: RegistryRow {
    var row: Int64 { sequenceNumber }
}
