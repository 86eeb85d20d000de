public import Attestation
public import COSE
import GRDB
public import Provisioning

/// What the registry knows of one key.
public struct KeyRecord: Sendable, Hashable {
    public let identity: DeviceIdentity
    /// The user's name for the device.
    public let nickname: String?
    /// The 32-bit key ID in the device's key store.
    public let keyID: UInt32
    /// SHA-256 COSE Key Thumbprint, RFC 9679: 32 octets.
    public let thumbprint: [UInt8]
    /// COSE algorithm, e.g. −7 (ES256).
    public let algorithm: Int64
    /// As it was registered: SEC 1 uncompressed, 65 octets for P-256; 32 where only x was reported.
    public let publicKey: [UInt8]
    public let state: KeyState
    public let registeredAt: NumericDate
    public let activatedAt: NumericDate?
    /// Nil unless `state` is `.revoked`.
    public let revocation: Revocation?
    public let basis: AttestationBasis
    /// Whether the private key was made outside the device.
    public let isImported: Bool
    /// SHA-256 of the image that was flashed when the key was registered.
    public let firmwareDigest: [UInt8]?
    /// SHA-256 of the evidence; `SQLiteRegistry.document(_:)` has the bytes.
    public let evidenceDigest: [UInt8]
    /// SHA-256 of the confirmation that activated the key. The same as `evidenceDigest` where the device
    /// could not be asked: its report is all there is.
    public let confirmationDigest: [UInt8]?
    /// False: only a log line, which anybody could have written, names the key.
    public let isPossessionProven: Bool

    /// The event that registered this key.
    let row: Int64
    /// The event that added its device.
    let deviceRow: Int64
}

extension DeviceIdentity: RowRecord {
    /// Columns `board` and `device_id`.
    init(_ row: inout RowReader) throws {
        let board = try row.text()
        guard let id = DeviceID(try row.octets()) else {
            throw ProvisioningError(.registryDamaged, "a device ID has no bytes, or too many")
        }
        self.init(board: board, id: id)
    }
}

extension KeyRecord: RowRecord {
    /// What `init` reads; WHERE, ORDER and LIMIT follow.
    static let query = """
        SELECT device.board, device.device_id, device.nickname, key.key_id, key.thumbprint,
            key.algorithm, key.public_key, key.state, key.registered_at, key.activated_at,
            key.revoked_at, key.revocation_reason, key.basis, key.imported, key.firmware_digest,
            key.evidence, key.confirmation, key.possession_proven, key.id, key.device
        FROM key JOIN device ON device.id = key.device

        """

    init(_ row: inout RowReader) throws {
        identity = try DeviceIdentity(&row)
        nickname = try row.optionalText()
        guard let keyID = UInt32(exactly: try row.integer()) else {
            throw ProvisioningError(.registryDamaged, "a key ID does not fit 32 bits")
        }
        self.keyID = keyID
        thumbprint = try row.octets()
        algorithm = try row.integer()
        publicKey = try row.octets()
        state = try row.choice()
        registeredAt = try row.date()
        activatedAt = try row.optionalDate()
        revocation = try Revocation.read(&row)
        basis = try row.choice()
        isImported = try row.integer() != 0
        firmwareDigest = try row.optionalOctets()
        evidenceDigest = try row.octets()
        confirmationDigest = try row.optionalOctets()
        isPossessionProven = try row.integer() != 0
        self.row = try row.integer()
        deviceRow = try row.integer()
    }

    /// Lower-case hexadecimal of the thumbprint: the key's name in messages.
    var name: String { Octets(thumbprint).hexadecimal }

    /// - Throws: `.keyRevoked`, naming when and why, if this key is revoked.
    func requireUnrevoked() throws(ProvisioningError) {
        guard let revocation else { return }
        throw ProvisioningError(
            .keyRevoked, "key \(name) of \(identity) was revoked \(revocation.phrase)",
            hint: "flash with --erase for a new key, or take it back: "
                + "provision registry reinstate --key \(name.prefix(16)); "
                + "for another reason, take it back and revoke it anew")
    }
}
