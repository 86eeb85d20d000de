internal import CBOR
public import COSE
public import Issuance
internal import OpenSSL
public import Provisioning

extension FileAuthority {
    /// Creates an authority called `name`, with new keys, in a folder that does not exist yet.
    ///
    /// The folder appears at once with all its files.
    ///
    /// - Parameter now: the beginning of the authority's own certificates.
    /// - Throws: `.authorityUnavailable` if there is one already or the files can't be written,
    ///   `.issuanceFailed` if the name is empty or too long.
    public static func create(
        at path: String, name: String, now: NumericDate,
        profile: DeviceCertificateProfile = DeviceCertificateProfile()
    ) throws(ProvisioningError) -> FileAuthority {
        PrivateFolder.removeUnfinished(of: path)
        guard try install(at: path, name: name, now: now) else {
            // One that lost a file is not to be used as it is.
            do throws(ProvisioningError) {
                _ = try open(at: path)
            } catch {
                if error.code != .notFound { throw error }
            }
            throw ProvisioningError(
                .authorityUnavailable, "\(path) exists already",
                hint: "use it as it is, or create another authority in another folder")
        }
        return try open(at: path, profile: profile)
    }

    /// Opens the authority at `path`, or creates it. Of processes that do so at once, one creates
    /// it and all use it. What others left unfinished is removed.
    public static func openOrCreate(
        at path: String, name: String, now: NumericDate,
        profile: DeviceCertificateProfile = DeviceCertificateProfile()
    ) throws(ProvisioningError) -> (authority: FileAuthority, isNew: Bool) {
        PrivateFolder.removeUnfinished(of: path)
        do {
            return (try open(at: path, profile: profile), false)
        } catch  where error.code == .notFound {
            let isNew = try install(at: path, name: name, now: now)
            return (try open(at: path, profile: profile), isNew)
        }
    }

    /// False if there is a folder at `path` already.
    private static func install(
        at path: String, name: String, now: NumericDate
    ) throws(ProvisioningError) -> Bool {
        let material = try Material(name: name, now: now)
        return try PrivateFolder.create(at: path) { folder throws(ProvisioningError) in
            for file in try material.files() { try folder.write(file.content, to: file.name) }
        }
    }
}

/// The keys and certificates of a new authority.
private struct Material {
    let rootKey: SigningKey
    let root: Certificate
    let issuingKey: SigningKey
    let issuing: Certificate
    let tokenKey: SigningKey

    init(name: String, now: NumericDate) throws(ProvisioningError) {
        do {
            rootKey = try SigningKey.generate()
            issuingKey = try SigningKey.generate()
            tokenKey = try SigningKey.generate()
            root = try AuthorityCertificateProfile.root(
                name: name, publicKey: rootKey.publicKey, serialNumber: Self.serialNumber(),
                notBefore: now
            ).signed(by: rootKey)
            issuing = try AuthorityCertificateProfile.issuing(
                name: name, publicKey: issuingKey.publicKey, serialNumber: Self.serialNumber(),
                notBefore: now, root: root
            ).signed(by: rootKey)
        } catch {
            throw ProvisioningError(.issuanceFailed, "\(error)")
        }
    }

    func files() throws(ProvisioningError) -> [(name: String, content: Secret)] {
        let thumbprint = COSEKey(p256: tokenKey.publicKey)?.thumbprint
        guard let tokenPublicKey = COSEKey(p256: tokenKey.publicKey, keyID: thumbprint) else {
            throw ProvisioningError(.issuanceFailed, "the new key for CWTs is not a P-256 point")
        }
        do {
            return [
                (AuthorityFile.rootKey, try rootKey.pem()),
                (AuthorityFile.rootCertificate, Secret(Array(root.pem.utf8))),
                (AuthorityFile.issuingKey, try issuingKey.pem()),
                (AuthorityFile.issuingCertificate, Secret(Array(issuing.pem.utf8))),
                (AuthorityFile.tokenKey, try tokenKey.pem()),
                (AuthorityFile.tokenPublicKey, Secret(tokenPublicKey.cbor.encoded())),
            ]
        } catch {
            throw ProvisioningError(.issuanceFailed, "\(error)")
        }
    }

    /// 16 random octets that are a positive number.
    private static func serialNumber() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return [UInt8.random(in: 0x40...0x7F, using: &generator)]
            + (1..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
