public import OpenSSL

/// The certificate of a device's key: an IDevID in the manner of IEEE 802.1AR-2018 §8.
///
/// The subject has the device ID as `serialNumber`, which RFC 8995 §2.3.1 takes as the device's
/// identity, and a `commonName` to read. Without an end the certificate says 99991231235959Z.
public struct DeviceCertificateProfile: Hashable, Sendable {
    /// Whether the leaf has a subject key identifier, which IEEE 802.1AR advises against and
    /// some libraries look for.
    public var hasSubjectKeyIdentifier: Bool

    public init(hasSubjectKeyIdentifier: Bool = false) {
        self.hasSubjectKeyIdentifier = hasSubjectKeyIdentifier
    }

    /// What `issuer` is to sign for `plan`.
    ///
    /// - Throws: `IssuanceError` if the plan is not valid or has no X.509 serial number, or
    ///   `issuer` has no subject key identifier.
    public func template(
        for plan: IssuancePlan, issuer: Certificate
    ) throws(IssuanceError) -> CertificateTemplate {
        try plan.validate()
        guard let serialNumber = plan.serialNumbers[.x509Chain] else {
            throw IssuanceError("the plan has no serial number for \(CredentialType.x509Chain)")
        }
        guard let issuerKey = issuer.subjectKeyIdentifier else {
            throw IssuanceError("the issuer's certificate has no subject key identifier")
        }
        let notBefore = try IssuancePlan.certificateTime(plan.notBefore)
        var notAfter = CertificateTime.noExpiry
        if let end = plan.notAfter { notAfter = try IssuancePlan.certificateTime(end) }
        return CertificateTemplate(
            serialNumber: serialNumber,
            issuer: issuer.subject,
            subject: try Self.subject(of: plan),
            notBefore: notBefore,
            notAfter: notAfter,
            publicKey: plan.publicKey,
            basicConstraints: .endEntity,
            keyUsage: .digitalSignature,
            subjectKeyIdentifier: hasSubjectKeyIdentifier
                ? CertificateTemplate.keyIdentifier(of: plan.publicKey) : nil,
            authorityKeyIdentifier: issuerKey)
    }

    /// CN is `"<board> <id>"` where that fits into its 64 characters, otherwise the ID.
    static func subject(of plan: IssuancePlan) throws(IssuanceError) -> DistinguishedName {
        let full = "\(plan.board) \(plan.deviceID)"
        let fits = full.unicodeScalars.count <= DistinguishedName.maximumLength
        do {
            return try DistinguishedName([
                .init(.commonName, fits ? full : plan.deviceID),
                .init(.serialNumber, plan.deviceID),
            ])
        } catch {
            throw IssuanceError("\(error)")
        }
    }
}
