internal import CBOR
public import COSE
public import OpenSSL

/// The certificates of an authority's own keys: a root that signs one level of issuing
/// authorities, which sign devices. RFC 5280 §4.2.1.
///
/// They do not expire, since a device's certificate may not: 99991231235959Z.
public enum AuthorityCertificateProfile {
    /// Characters that an authority's name may have, so that the longest role fits beside it.
    public static let nameLength = 1...48

    /// The self-signed root of the authority called `name`.
    public static func root(
        name: String, publicKey: [UInt8], serialNumber: [UInt8], notBefore: NumericDate
    ) throws(IssuanceError) -> CertificateTemplate {
        let subject = try distinguishedName(name, role: "Root CA")
        let keyIdentifier = CertificateTemplate.keyIdentifier(of: publicKey)
        return CertificateTemplate(
            serialNumber: serialNumber,
            issuer: subject,
            subject: subject,
            notBefore: try IssuancePlan.certificateTime(notBefore),
            notAfter: .noExpiry,
            publicKey: publicKey,
            basicConstraints: .authority(pathLength: 1),
            keyUsage: [.keyCertSign, .cRLSign],
            subjectKeyIdentifier: keyIdentifier,
            authorityKeyIdentifier: keyIdentifier)
    }

    /// An issuing authority below `root`, which signs devices only.
    public static func issuing(
        name: String, publicKey: [UInt8], serialNumber: [UInt8], notBefore: NumericDate,
        root: Certificate
    ) throws(IssuanceError) -> CertificateTemplate {
        CertificateTemplate(
            serialNumber: serialNumber,
            issuer: root.subject,
            subject: try distinguishedName(name, role: "Issuing CA"),
            notBefore: try IssuancePlan.certificateTime(notBefore),
            notAfter: .noExpiry,
            publicKey: publicKey,
            basicConstraints: .authority(pathLength: 0),
            keyUsage: [.keyCertSign, .cRLSign],
            subjectKeyIdentifier: CertificateTemplate.keyIdentifier(of: publicKey),
            authorityKeyIdentifier: root.subjectKeyIdentifier)
    }

    /// Whether an authority can be called `name`.
    public static func accepts(name: String) -> Bool {
        let characters = name.unicodeScalars
        return nameLength.contains(characters.count) && characters.allSatisfy(\.isPrintable)
    }

    private static func distinguishedName(
        _ name: String, role: String
    ) throws(IssuanceError) -> DistinguishedName {
        guard accepts(name: name) else {
            throw IssuanceError(
                "the authority's name \(name.debugDescription) does not have "
                    + "\(nameLength.lowerBound) to \(nameLength.upperBound) printable characters")
        }
        do {
            return try DistinguishedName([.init(.commonName, "\(name) \(role)")])
        } catch {
            throw IssuanceError("\(error)")
        }
    }
}
