import Authority
import Foundation
import Provisioning
import Registry

/// A state directory, as `PROVISION_HOME` names it, with so many devices: each with an active key, an
/// X.509 certificate and a CWT, written by the registry's own code.
final class SampleRegistry: Sendable {
    let home: URL
    let count: Int
    let authority: FileAuthority
    let registry: SQLiteRegistry

    /// Devices in one transaction: the fewer there are, the more often the log is copied to the file.
    private static let batchLength = 10_000

    init(in folder: URL, count: Int) throws {
        home = folder.appending(path: "home-\(count)")
        self.count = count
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        authority = try FileAuthority.create(
            at: home.appending(path: "authority").path, name: "Bench", now: SampleDevice.date)
        registry = try SQLiteRegistry(path: home.appending(path: "registry.sqlite").path)
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

    func device(_ number: Int) -> SampleDevice {
        SampleDevice(number: number, issuer: authority.issuingKeyDigest)
    }

    /// Bytes of the file and its log.
    var size: Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            let path = registry.path + suffix
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return sum + ((attributes?[.size] as? NSNumber)?.int64Value ?? 0)
        }
    }
}
