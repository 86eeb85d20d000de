import Attestation
import Foundation
import Provisioning
import Registry

/// A key as JSON shows it. Byte strings are lower-case hexadecimal, times RFC 3339 in UTC.
struct KeyEntry: Encodable {
    let board: String
    let device: String
    let nickname: String?
    let keyID: UInt32
    let thumbprint: String
    let algorithm: Int64
    let publicKey: String
    let state: String
    let registeredAt: Date
    let activatedAt: Date?
    let revokedAt: Date?
    let revocationReason: String?
    let attestation: String
    let isImported: Bool
    let firmwareDigest: String?
    let credentials: [CredentialEntry]

    init(_ key: KeyRecord, credentials: [CredentialRecord]) {
        board = key.identity.board
        device = key.identity.id.description
        nickname = key.nickname
        keyID = key.keyID
        thumbprint = key.thumbprint.hexadecimal
        algorithm = key.algorithm
        publicKey = key.publicKey.hexadecimal
        state = key.state.rawValue
        registeredAt = Date(key.registeredAt)
        activatedAt = key.activatedAt.map(Date.init)
        revokedAt = (key.revocation?.date).map(Date.init)
        revocationReason = key.revocation?.reason.name
        attestation = key.basis.rawValue
        isImported = key.isImported
        firmwareDigest = key.firmwareDigest?.hexadecimal
        self.credentials = credentials.map(CredentialEntry.init)
    }
}

struct CredentialEntry: Encodable {
    let type: String
    let serialNumber: String
    let issuer: String
    let issuedAt: Date
    let notBefore: Date
    /// Missing: no expiry.
    let notAfter: Date?
    let revokedAt: Date?
    let revocationReason: String?

    init(_ credential: CredentialRecord) {
        type = credential.type.name
        serialNumber = credential.serialNumber.hexadecimal
        issuer = credential.issuer.hexadecimal
        issuedAt = Date(credential.issuedAt)
        notBefore = Date(credential.notBefore)
        notAfter = credential.notAfter.map(Date.init)
        revokedAt = (credential.revocation?.date).map(Date.init)
        revocationReason = credential.revocation?.reason.name
    }
}

struct DeviceEntry: Encodable {
    let board: String
    let device: String
    let nickname: String?
    let firstSeen: Date
    let keys: [KeyEntry]
}

extension SQLiteRegistry {
    func entry(for key: KeyRecord) throws -> KeyEntry {
        KeyEntry(key, credentials: try credentials(of: key.thumbprint))
    }

    /// For listings and exports: all that they show belongs to one moment.
    func listedSnapshot() throws(ProvisioningError) -> RegistrySnapshot {
        try snapshot { size in
            Terminal.standardError.write(
                """
                provision: note: others write while this reads; until it ends, the registry's \
                write-ahead log grows: \(size >> 20) MiB

                """)
        }
    }
}

extension RegistrySnapshot {
    func entry(for key: KeyRecord) throws -> KeyEntry {
        KeyEntry(key, credentials: try credentials(of: key))
    }

    func entry(for device: DeviceRecord) throws -> DeviceEntry {
        DeviceEntry(
            board: device.identity.board, device: device.identity.id.description,
            nickname: device.nickname, firstSeen: Date(device.firstSeen),
            keys: try device.keys.map(entry(for:)))
    }
}
