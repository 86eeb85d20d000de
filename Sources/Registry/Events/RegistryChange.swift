import Foundation

/// What one event says. The tables hold what the events say, and nothing else: each change is
/// applied to them by `apply(_:to:)`, by a run and by `verify` alike.
enum RegistryChange {
    case deviceAdded(DeviceAdded)
    case deviceNamed(DeviceNamed)
    case keyRegistered(KeyRegistered)
    case keyActivated(KeyActivated)
    case keyRevoked(Revoked)
    case keyReinstated(KeyReinstated)
    case credentialIssued(CredentialIssued)
    case credentialRevoked(Revoked)
    case listNumbered(ListNumbered)

    struct DeviceAdded: Encodable {
        var board: String
        var deviceID: Octets
    }

    struct DeviceNamed: Encodable {
        var nickname: String?
    }

    struct KeyRegistered: Encodable {
        /// The event that added the device.
        var device: Int64
        var keyID: UInt32
        var thumbprint: Octets
        var algorithm: Int64
        var publicKey: Octets
        var basis: String
        var isImported: Bool
        var firmwareDigest: Octets?
        /// SHA-256 of the evidence.
        var evidence: Octets
        /// Why an earlier key could be replaced, sorted.
        var grounds: [String]
        /// False: only a log line names the key. Nil, as in events of schema version 1: proven.
        var isPossessionProven: Bool?
    }

    struct KeyActivated: Encodable {
        /// SHA-256 of the confirmation.
        var confirmation: Octets
    }

    /// Of a key, with all its credentials, or of one credential.
    struct Revoked: Encodable {
        /// CRLReason, RFC 5280 §5.3.1.
        var reason: Int
        var note: String?
        /// The thumbprint of the new key, or the SHA-256 of the new credential.
        var supersededBy: Octets?
    }

    struct KeyReinstated: Encodable {
        var note: String?
    }

    struct CredentialIssued: Encodable {
        /// The event that registered the key.
        var key: Int64
        var type: UInt64
        var issuer: Octets
        var serialNumber: Octets?
        /// SHA-256 of the credential.
        var document: Octets
        var notBefore: Int64
        var notAfter: Int64?
    }

    struct ListNumbered: Encodable {
        var issuer: Octets
        var number: Int64
    }
}

/// The kind of an event, as its row names it.
public enum RegistryEventKind: String, CaseIterable, Sendable, Hashable {
    case deviceAdded = "device-added"
    case deviceNamed = "device-named"
    case keyRegistered = "key-registered"
    case keyActivated = "key-activated"
    case keyRevoked = "key-revoked"
    case keyReinstated = "key-reinstated"
    case credentialIssued = "credential-issued"
    case credentialRevoked = "credential-revoked"
    case listNumbered = "list-numbered"

    /// Whether such an event is its own subject.
    var beginsSubject: Bool {
        [.deviceAdded, .keyRegistered, .credentialIssued, .listNumbered].contains(self)
    }
}

extension RegistryChange {
    var kind: RegistryEventKind {
        switch self {
        case .deviceAdded: .deviceAdded
        case .deviceNamed: .deviceNamed
        case .keyRegistered: .keyRegistered
        case .keyActivated: .keyActivated
        case .keyRevoked: .keyRevoked
        case .keyReinstated: .keyReinstated
        case .credentialIssued: .credentialIssued
        case .credentialRevoked: .credentialRevoked
        case .listNumbered: .listNumbered
        }
    }

    /// The digests of the documents that this change brought.
    var documents: [Octets] {
        switch self {
        case .keyRegistered(let body): [body.evidence]
        case .keyActivated(let body): [body.confirmation]
        case .credentialIssued(let body): [body.document]
        case .deviceAdded, .deviceNamed, .keyRevoked, .keyReinstated, .credentialRevoked,
            .listNumbered:
            []
        }
    }

    /// JSON with sorted keys and no white space.
    func body() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data =
            switch self {
            case .deviceAdded(let body): try encoder.encode(body)
            case .deviceNamed(let body): try encoder.encode(body)
            case .keyRegistered(let body): try encoder.encode(body)
            case .keyActivated(let body): try encoder.encode(body)
            case .keyRevoked(let body), .credentialRevoked(let body): try encoder.encode(body)
            case .keyReinstated(let body): try encoder.encode(body)
            case .credentialIssued(let body): try encoder.encode(body)
            case .listNumbered(let body): try encoder.encode(body)
            }
        return String(decoding: data, as: UTF8.self)
    }
}
