public import COSE
internal import OpenSSL
public import Provisioning

/// A certificate of a device that must not be trusted any more.
public struct RevokedCertificate: Hashable, Sendable {
    /// Big endian.
    public var serialNumber: [UInt8]
    public var revokedAt: NumericDate
    public var reason: RevocationReason

    public init(serialNumber: [UInt8], revokedAt: NumericDate, reason: RevocationReason) {
        self.serialNumber = serialNumber
        self.revokedAt = revokedAt
        self.reason = reason
    }
}

extension FileAuthority {
    /// The DER encoding of the issuing CA's complete revocation list, RFC 5280 §5.
    ///
    /// - Parameter number: must grow from list to list.
    /// - Throws: `.issuanceFailed` if a date, a serial number or the order of the dates is wrong.
    public func certificateRevocationList(
        _ revoked: [RevokedCertificate], number: UInt64, thisUpdate: NumericDate,
        nextUpdate: NumericDate
    ) throws(ProvisioningError) -> [UInt8] {
        try list(
            revoked, issuer: issuing, key: issuingKey, number: number, thisUpdate: thisUpdate,
            nextUpdate: nextUpdate)
    }

    /// The DER encoding of the root's revocation list, which has no entries: the issuing CA is not
    /// revoked. For verifiers that ask for a list of every issuer.
    ///
    /// - Throws: as above; `.authorityUnavailable` if the root key was taken away.
    public func rootCertificateRevocationList(
        number: UInt64, thisUpdate: NumericDate, nextUpdate: NumericDate
    ) throws(ProvisioningError) -> [UInt8] {
        let folder = try PrivateFolder(opening: folderPath)
        guard folder.contains(AuthorityFile.rootKey) else {
            throw ProvisioningError(
                .authorityUnavailable, "\(folder.path(of: AuthorityFile.rootKey)) is not there",
                hint: "bring the root key back for as long as it is needed")
        }
        return try list(
            [], issuer: root, key: folder.signingKey(AuthorityFile.rootKey), number: number,
            thisUpdate: thisUpdate, nextUpdate: nextUpdate)
    }

    private func list(
        _ revoked: [RevokedCertificate], issuer: Certificate, key: SigningKey, number: UInt64,
        thisUpdate: NumericDate, nextUpdate: NumericDate
    ) throws(ProvisioningError) -> [UInt8] {
        var entries: [CertificateRevocationList.Entry] = []
        for certificate in revoked {
            entries.append(
                CertificateRevocationList.Entry(
                    serialNumber: certificate.serialNumber,
                    revokedAt: try time(certificate.revokedAt),
                    reason: UInt8(certificate.reason.rawValue)))
        }
        do {
            return try CertificateRevocationList(
                issuer: issuer, key: key, number: number, entries: entries,
                thisUpdate: time(thisUpdate), nextUpdate: time(nextUpdate)
            ).der
        } catch {
            throw ProvisioningError(.issuanceFailed, "\(error)")
        }
    }

    private func time(_ date: NumericDate) throws(ProvisioningError) -> CertificateTime {
        guard let time = CertificateTime(seconds: date.seconds) else {
            throw ProvisioningError(
                .issuanceFailed, "\(date.seconds) is not a second from 1950 to 9999")
        }
        return time
    }
}
