import Attestation
import COSE
import Foundation
import GRDB
import Issuance
import OpenSSL
import Provisioning

@testable import Registry

/// A folder of its own, deleted at the end, with a registry in it.
final class TemporaryRegistry: Sendable {
    let folder: String
    var path: String { folder + "/provision/registry.sqlite" }

    init() throws {
        folder = NSTemporaryDirectory() + "registry-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func open() throws -> SQLiteRegistry { try SQLiteRegistry(path: path) }

    /// What the `sqlite3` shell could do: no foreign keys, no code of ours.
    func raw<Value>(_ body: (Database) throws -> Value) throws -> Value {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(30)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        return try queue.writeWithoutTransaction(body)
    }

    func execute(_ sql: String) throws { try raw { try $0.execute(sql: sql) } }

    func count(_ sql: String) throws -> Int {
        try raw { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(sql)") ?? -1 }
    }

    /// Tampers as someone who knows the schema would: the triggers are back afterwards.
    func tamper(_ sql: String) throws {
        try raw { database in
            let triggers = try Row.fetchAll(
                database, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            for trigger in triggers {
                try database.execute(sql: "DROP TRIGGER \(trigger["name"] as String)")
            }
            try database.execute(sql: sql)
            for trigger in triggers { try database.execute(sql: trigger["sql"]) }
        }
    }
}

extension SQLiteRegistry {
    /// What the next revocation list says.
    func revokedCertificates(of authority: [UInt8] = issuer) throws -> [RevokedCertificate] {
        let number = try nextCRLNumber(of: authority, at: noon)
        var certificates: [RevokedCertificate] = []
        try snapshot().forEachRevokedCertificate(of: authority, before: number) {
            certificates.append($0)
        }
        return certificates
    }
}

let noon = NumericDate(seconds: 1_795_000_000)

func identity(_ number: Int, board: String = "testboard") -> DeviceIdentity {
    DeviceIdentity(board: board, id: DeviceID(SHA256.hash("device \(number)".utf8).prefix(8) + [])!)
}

/// A claim whose key is made of `key`; the same number gives the same key.
func claim(
    _ key: Int, device: DeviceIdentity, keyID: UInt32 = 1,
    grounds: Set<ReplacementGround> = [.flashed]
) -> RegistrationClaim {
    let x = SHA256.hash("x \(key)".utf8)
    let y = SHA256.hash("y \(key)".utf8)
    return RegistrationClaim(
        identity: device, keyID: keyID, algorithm: -7, publicKey: [0x04] + x + y,
        thumbprint: thumbprint(key), evidence: Array("evidence of key \(key)".utf8),
        basis: .physicalPresence, isImported: false,
        firmwareDigest: SHA256.hash("firmware".utf8), grounds: grounds)
}

func thumbprint(_ key: Int) -> [UInt8] { SHA256.hash("thumbprint \(key)".utf8) }

let issuer = SHA256.hash("issuer".utf8)

func credential(
    _ number: Int, type: CredentialType = .x509Chain, issuer: [UInt8] = issuer
) -> Credential {
    Credential(
        type: type, bytes: Array("credential \(number)".utf8),
        serialNumber: type == .trustAnchors ? [] : Array(SHA256.hash("\(number)".utf8).prefix(16)),
        issuer: issuer, notBefore: noon, notAfter: nil)
}

func hexadecimal(_ bytes: [UInt8]) -> String { Octets(bytes).hexadecimal }

/// The error that `body` must throw.
func failure(_ body: () throws -> Void) -> ProvisioningError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ProvisioningError
    }
}
