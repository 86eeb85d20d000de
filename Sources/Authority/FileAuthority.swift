internal import CBOR
public import COSE
public import Issuance
internal import OpenSSL
public import Provisioning

/// An authority whose keys are files that only this user can read: a root, an issuing CA below it,
/// and a key of its own for CWTs.
///
/// The root key signs the issuing CA and the root's revocation list, nothing else; it may be taken
/// away and kept elsewhere.
public final class FileAuthority: CredentialIssuer {
    let folderPath: String
    let root: Certificate
    let issuing: Certificate
    let issuingKey: SigningKey
    let tokenKey: SigningKey
    let tokenPublicKey: COSEKey
    let hasRootKey: Bool
    private let profile: DeviceCertificateProfile

    /// Opens the authority in the folder at `path`.
    ///
    /// - Throws: `.notFound` if there is none; `.authorityUnavailable` if its files are not this
    ///   user's own, are open to others, can't be read, or do not belong together.
    public static func open(
        at path: String, profile: DeviceCertificateProfile = DeviceCertificateProfile()
    ) throws(ProvisioningError) -> FileAuthority {
        try FileAuthority(PrivateFolder(opening: path), profile)
    }

    init(
        _ folder: PrivateFolder, _ profile: DeviceCertificateProfile
    ) throws(ProvisioningError) {
        self.profile = profile
        folderPath = folder.path
        guard AuthorityFile.all.contains(where: folder.contains) else {
            throw ProvisioningError(
                .notFound, "there is no file of an authority in \(folder.path)",
                hint: "create an authority in a folder that is empty or does not exist")
        }
        root = try folder.certificate(AuthorityFile.rootCertificate)
        issuing = try folder.certificate(AuthorityFile.issuingCertificate)
        issuingKey = try folder.signingKey(AuthorityFile.issuingKey)
        tokenKey = try folder.signingKey(AuthorityFile.tokenKey)
        tokenPublicKey = try folder.publicKey(AuthorityFile.tokenPublicKey)
        hasRootKey = folder.contains(AuthorityFile.rootKey)
        if hasRootKey {
            let rootKey = try folder.signingKey(AuthorityFile.rootKey)
            try folder.check(
                AuthorityFile.rootKey, rootKey.publicKey, belongsTo: AuthorityFile.rootCertificate,
                root.publicKey)
        }
        try folder.check(
            AuthorityFile.issuingKey, issuingKey.publicKey,
            belongsTo: AuthorityFile.issuingCertificate, issuing.publicKey)
        try folder.check(
            AuthorityFile.tokenKey, tokenKey.publicKey, belongsTo: AuthorityFile.tokenPublicKey,
            tokenPublicKey.publicKey)
        try folder.check(issuing, wasIssuedBy: root)
    }

    /// One credential for each of the plan's types, in the order of their numbers.
    ///
    /// - Throws: `.issuanceFailed` if the plan is not valid or goes beyond the authority's own
    ///   certificates.
    public func sign(_ plan: IssuancePlan) throws(ProvisioningError) -> [Credential] {
        do {
            var plan = plan
            // A clock that is a little slow: nothing is valid before what signed it.
            plan.notBefore = max(plan.notBefore, notBefore)
            try plan.validate()
            let types = CredentialType.allCases.filter(plan.types.contains)
            var credentials: [Credential] = []
            for type in types { credentials.append(try credential(type, for: plan)) }
            return credentials
        } catch let error as ProvisioningError {
            throw error
        } catch {
            throw ProvisioningError(.issuanceFailed, "\(error)")
        }
    }

    /// `iss` of every CWT: the issuing CA's common name.
    public var tokenIssuer: String { issuing.subject[.commonName] ?? issuing.subject.description }

    public var notBefore: NumericDate { NumericDate(seconds: issuing.notBefore.seconds) }

    public func keyDigest(for type: CredentialType) -> [UInt8] {
        switch type {
        case .x509Chain: issuingKeyDigest
        case .cwt: SHA256.hash(tokenKey.subjectPublicKeyInfo)
        case .trustAnchors: rootKeyDigest
        }
    }

    /// What the registry calls the issuing CA: SHA-256 of its SubjectPublicKeyInfo, 32 octets.
    public var issuingKeyDigest: [UInt8] { SHA256.hash(issuing.subjectPublicKeyInfo) }

    /// What the registry calls the root: SHA-256 of its SubjectPublicKeyInfo, 32 octets.
    public var rootKeyDigest: [UInt8] { SHA256.hash(root.subjectPublicKeyInfo) }

    /// What the registry calls each of its keys.
    public var keyDigests: [[UInt8]] { [issuingKeyDigest, keyDigest(for: .cwt), rootKeyDigest] }

    private func credential(
        _ type: CredentialType, for plan: IssuancePlan
    ) throws -> Credential {
        switch type {
        case .x509Chain: try chain(for: plan)
        case .cwt: try token(for: plan)
        case .trustAnchors: anchors(for: plan)
        }
    }

    private func chain(for plan: IssuancePlan) throws -> Credential {
        let template = try profile.template(for: plan, issuer: issuing)
        guard template.notBefore <= issuing.notAfter else {
            throw ProvisioningError(
                .clockWrong,
                "the clock says \(template.notBefore), the issuing certificate ended at "
                    + "\(issuing.notAfter)",
                hint: "set the clock, or make a new authority")
        }
        guard template.notAfter <= issuing.notAfter else {
            throw ProvisioningError(
                .issuanceFailed,
                "the plan ends at \(template.notAfter), the issuing certificate at "
                    + "\(issuing.notAfter)",
                hint: "issue for a shorter time")
        }
        let leaf = try template.signed(by: issuingKey)
        return Credential(
            type: .x509Chain,
            bytes: CBORValue.array([.bytes(leaf.der), .bytes(issuing.der)]).encoded(),
            serialNumber: leaf.serialNumber,
            issuer: issuingKeyDigest,
            notBefore: plan.notBefore,
            notAfter: plan.notAfter)
    }

    private func token(for plan: IssuancePlan) throws -> Credential {
        let claims = try plan.claims(issuer: tokenIssuer)
        let token = try CWT.sign(claims, keyID: tokenPublicKey.keyID, using: tokenKey)
        return Credential(
            type: .cwt,
            bytes: token.encoded(),
            serialNumber: claims.tokenID ?? [],
            issuer: keyDigest(for: .cwt),
            notBefore: plan.notBefore,
            notAfter: plan.notAfter)
    }

    private func anchors(for plan: IssuancePlan) -> Credential {
        Credential(
            type: .trustAnchors,
            bytes: CBORValue.array([.bytes(root.der)]).encoded(),
            serialNumber: [],
            issuer: rootKeyDigest,
            notBefore: plan.notBefore,
            notAfter: plan.notAfter)
    }
}

extension FileAuthority {
    /// What may be shown of this authority.
    public var summary: AuthorityDescription {
        AuthorityDescription(
            path: folderPath,
            root: entry(root, AuthorityFile.rootCertificate),
            issuing: entry(issuing, AuthorityFile.issuingCertificate),
            hasRootKey: hasRootKey,
            tokenKeyPath: folderPath + "/" + AuthorityFile.tokenPublicKey,
            tokenKeyThumbprint: tokenPublicKey.thumbprint,
            tokenIssuer: tokenIssuer)
    }

    private func entry(
        _ certificate: Certificate, _ name: String
    ) -> AuthorityDescription.CertificateEntry {
        AuthorityDescription.CertificateEntry(
            path: folderPath + "/" + name,
            subject: certificate.subject.description,
            fingerprint: certificate.fingerprint,
            serialNumber: certificate.serialNumber,
            notBefore: NumericDate(seconds: certificate.notBefore.seconds),
            notAfter: certificate.notAfter == .noExpiry
                ? nil : NumericDate(seconds: certificate.notAfter.seconds))
    }
}
