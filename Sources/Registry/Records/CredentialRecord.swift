public import COSE
public import Issuance
import Provisioning

/// What the registry knows of one credential.
public struct CredentialRecord: Sendable, Hashable {
    /// Thumbprint of the key that it was issued for.
    public let thumbprint: [UInt8]
    public let type: CredentialType
    /// SHA-256 of the issuing key's SubjectPublicKeyInfo, 32 octets.
    public let issuer: [UInt8]
    /// Big endian; empty for trust anchors.
    public let serialNumber: [UInt8]
    /// SHA-256 of the credential; `SQLiteRegistry.document(_:)` has the bytes.
    public let digest: [UInt8]
    public let notBefore: NumericDate
    /// Nil: no expiry.
    public let notAfter: NumericDate?
    public let issuedAt: NumericDate
    /// Nil: in force.
    public let revocation: Revocation?

    /// The event that recorded this credential.
    let row: Int64
    /// The event that registered its key.
    let keyRow: Int64
    /// The event that added its key's device.
    let deviceRow: Int64
}

extension CredentialRecord: RowRecord {
    /// What `init` reads; WHERE, ORDER and LIMIT follow.
    static let query = """
        SELECT credential.type, key.thumbprint, credential.issuer, credential.serial,
            credential.document, credential.not_before, credential.not_after,
            credential.issued_at, credential.revoked_at, credential.revocation_reason,
            credential.id, credential.key, key.device
        FROM credential JOIN key ON key.id = credential.key

        """

    init(_ row: inout RowReader) throws {
        let code = try row.integer()
        guard let type = UInt64(exactly: code).flatMap(CredentialType.init(rawValue:)) else {
            throw ProvisioningError(.registryDamaged, "\(code) is no type of credential")
        }
        self.type = type
        thumbprint = try row.octets()
        issuer = try row.octets()
        serialNumber = try row.optionalOctets() ?? []
        digest = try row.octets()
        notBefore = try row.date()
        notAfter = try row.optionalDate()
        issuedAt = try row.date()
        revocation = try Revocation.read(&row)
        self.row = try row.integer()
        keyRow = try row.integer()
        deviceRow = try row.integer()
    }
}
