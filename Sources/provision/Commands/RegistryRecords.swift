import Attestation
import Foundation
import Provisioning
import Registry

// How JSON shows what is registered. Byte strings are lower-case hexadecimal, times RFC 3339 in UTC.

extension JSONValue {
    init(_ credential: CredentialRecord) {
        self = .object([
            "issuedAt": .date(credential.issuedAt),
            "issuer": .octets(credential.issuer),
            // Missing: no expiry.
            "notAfter": credential.notAfter.map(JSONValue.date),
            "notBefore": .date(credential.notBefore),
            "revocationReason": (credential.revocation?.reason.name).map(JSONValue.string),
            "revokedAt": (credential.revocation?.date).map(JSONValue.date),
            "serialNumber": .octets(credential.serialNumber),
            "type": .string(credential.type.name),
        ])
    }

    init(_ key: KeyRecord, _ credentials: [CredentialRecord]) {
        self = .object([
            "activatedAt": key.activatedAt.map(JSONValue.date),
            "algorithm": .integer(key.algorithm),
            "attestation": .string(key.basis.rawValue),
            "board": .string(key.identity.board),
            "credentials": .array(credentials.map { JSONValue($0) }),
            "device": .octets(key.identity.id.bytes),
            "firmwareDigest": key.firmwareDigest.map(JSONValue.octets),
            "isImported": .bool(key.isImported),
            "isPossessionProven": .bool(key.isPossessionProven),
            "keyID": .integer(Int64(key.keyID)),
            "nickname": key.nickname.map(JSONValue.string),
            "publicKey": .octets(key.publicKey),
            "registeredAt": .date(key.registeredAt),
            "revocationReason": (key.revocation?.reason.name).map(JSONValue.string),
            "revokedAt": (key.revocation?.date).map(JSONValue.date),
            "state": .string(key.state.rawValue),
            "thumbprint": .octets(key.thumbprint),
        ])
    }

    /// - Parameter credentials: of each of its keys.
    init(_ device: DeviceRecord, _ credentials: [[CredentialRecord]]) {
        self = .object([
            "board": .string(device.identity.board),
            "device": .octets(device.identity.id.bytes),
            "firstSeen": .date(device.firstSeen),
            "keys": .array(zip(device.keys, credentials).map { JSONValue($0, $1) }),
            "nickname": device.nickname.map(JSONValue.string),
        ])
    }
}

extension SQLiteRegistry {
    /// For listings and exports: all that they show belongs to one moment.
    func listedSnapshot() throws(ProvisioningError) -> RegistrySnapshot {
        try snapshot { size in
            Terminal.standardError.remark(
                "note: others write while this reads; until it ends, the registry's write-ahead log "
                    + "grows: \(size >> 20) MiB")
        }
    }
}
