import Authority
import Foundation
import GRDB
import Provisioning
import Registry

/// A state directory, as `PROVISION_HOME` names it, with so many devices: each with an active key, an
/// X.509 certificate and a CWT.
final class SampleRegistry: Sendable {
    let home: URL
    let count: Int
    let authority: FileAuthority
    let registry: SQLiteRegistry

    /// Devices in one transaction.
    private static let batchLength = 1000

    /// Written by the registry's own code.
    init(in folder: URL, count: Int) throws {
        (home, authority) = try Self.makeHome(in: folder, count)
        self.count = count
        registry = try SQLiteRegistry(path: Self.file(in: home))
        let issuer = authority.issuingKeyDigest
        for start in stride(from: 0, to: count, by: Self.batchLength) {
            let numbers = start..<min(start + Self.batchLength, count)
            try registry.transaction(at: SampleDevice.date) { transaction in
                for number in numbers {
                    let device = SampleDevice(number: number, issuer: issuer)
                    _ = try transaction.register(device.claim)
                    try transaction.record(device.credentials, for: device.thumbprint)
                    try transaction.activate(
                        device.thumbprint, confirmation: device.confirmation)
                }
            }
        }
    }

    struct OtherLog: Error {}

    /// More devices of the same authority, by `FastFill`; its first devices are those of `smaller`.
    ///
    /// - Throws: `OtherLog` if it did not write what the registry's own code wrote for those.
    init(in folder: URL, count: Int, like smaller: SampleRegistry) throws {
        (home, authority) = try Self.makeHome(in: folder, count, smaller)
        self.count = count
        let file = Self.file(in: home)
        do { _ = try SQLiteRegistry(path: file) }
        let issuer = authority.issuingKeyDigest
        try FastFill.fill(
            file, with: (0..<count).lazy.map { SampleDevice(number: $0, issuer: issuer) })
        // Each hash is of everything before it too.
        let last = Int64(smaller.count) * FastFill.eventCount
        guard try Self.hash(last, in: file) == Self.hash(last, in: smaller.registry.path) else {
            throw OtherLog()
        }
        registry = try SQLiteRegistry(path: file)
    }

    func device(_ number: Int) -> SampleDevice {
        SampleDevice(number: number, issuer: authority.issuingKeyDigest)
    }

    /// Revokes the keys of the first devices, with their certificates.
    func revoke(_ count: Int) throws {
        for start in stride(from: 0, to: count, by: Self.batchLength) {
            try registry.transaction(at: SampleDevice.date) { [self] transaction in
                for number in start..<min(start + Self.batchLength, count) {
                    // It may have been flashed again meanwhile, and so revoked already.
                    let device = device(number)
                    guard let key = try transaction.key(device.thumbprint), key.revocation == nil
                    else { continue }
                    try transaction.revoke(key: device.thumbprint, reason: .keyCompromise)
                }
            }
        }
    }

    /// Bytes of the file.
    var size: Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: registry.path)
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    }

    private static func makeHome(
        in folder: URL, _ count: Int, _ other: SampleRegistry? = nil
    ) throws -> (URL, FileAuthority) {
        let home = folder.appending(path: "home-\(count)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        let authority = home.appending(path: "authority")
        guard let other else {
            return (
                home,
                try FileAuthority.create(
                    at: authority.path, name: "Bench", now: SampleDevice.date)
            )
        }
        try FileManager.default.copyItem(at: other.home.appending(path: "authority"), to: authority)
        return (home, try FileAuthority.open(at: authority.path))
    }

    private static func file(in home: URL) -> String {
        home.appending(path: "registry.sqlite").path
    }

    private static func hash(_ event: Int64, in file: String) throws -> Data? {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        return try queue.read {
            try Data.fetchOne(
                $0, sql: "SELECT hash FROM event WHERE seq = ?", arguments: [event])
        }
    }
}
