public import COSE
import GRDB
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

    init(row: Row) throws {
        guard let revocation = try Revocation.read(row) else {
            throw ProvisioningError(.registryDamaged, "a revoked certificate has no date")
        }
        issuer = try row.octets("issuer")
        serialNumber = try row.octets("serial")
        self.revocation = revocation
        notAfter = try row.optionalDate("not_after")
        self.row = try row.integer("id")
    }
}
