public import COSE
import Provisioning

/// One entry of a certificate revocation list, RFC 5280 §5.1.2.6.
public struct RevokedCertificate: Sendable, Hashable {
    /// SHA-256 of the issuing key's SubjectPublicKeyInfo, 32 octets.
    public let issuer: [UInt8]
    /// Big endian, at most 20 octets.
    public let serialNumber: [UInt8]
    public let revocation: Revocation
    /// Nil: no expiry. A list may leave out a certificate after it expired, RFC 5280 §3.3.
    public let notAfter: NumericDate?

    /// The event that recorded this certificate.
    let row: Int64

}

extension RevokedCertificate: RowRecord {
    /// Columns `issuer`, `serial`, `revoked_at`, `revocation_reason`, `not_after` and `id`.
    init(_ row: inout RowReader) throws {
        issuer = try row.octets()
        serialNumber = try row.octets()
        guard let revocation = try Revocation.read(&row) else {
            throw ProvisioningError(.registryDamaged, "a revoked certificate has no date")
        }
        self.revocation = revocation
        notAfter = try row.optionalDate()
        self.row = try row.integer()
    }
}
