internal import CBOR
internal import COSE
internal import OpenSSL
internal import Provisioning

extension PrivateFolder {
    func signingKey(_ name: String) throws(ProvisioningError) -> SigningKey {
        let pem = try read(name, isSecret: true)
        do {
            return try SigningKey(pem: pem)
        } catch {
            throw damaged(name, error)
        }
    }

    func certificate(_ name: String) throws(ProvisioningError) -> Certificate {
        let content = try read(name, isSecret: false)
        do {
            return try Certificate(
                pem: content.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        } catch {
            throw damaged(name, error)
        }
    }

    /// A COSE_Key in CBOR.
    func publicKey(_ name: String) throws(ProvisioningError) -> COSEKey {
        let content = try read(name, isSecret: false).withUnsafeBytes { Array($0) }
        do {
            return try COSEKey(cbor: CBORValue.decode(content))
        } catch {
            throw damaged(name, error)
        }
    }

    func check(
        _ keyName: String, _ key: [UInt8], belongsTo name: String, _ publicKey: [UInt8]?
    ) throws(ProvisioningError) {
        guard key == publicKey else {
            throw ProvisioningError(
                .authorityUnavailable,
                "\(path(of: keyName)) is not the key of \(path(of: name))",
                hint: "restore the authority's folder from a backup")
        }
    }

    func check(
        _ issuing: Certificate, wasIssuedBy root: Certificate
    ) throws(ProvisioningError) {
        var reason = "it is not a CA certificate"
        do {
            // At its own beginning: whether it has ended since, the plans show.
            try CertificateChain.validate(
                issuing, intermediates: [], anchors: [root], at: issuing.notBefore)
            if issuing.isAuthority { return }
        } catch {
            reason = error.reason
        }
        throw ProvisioningError(
            .authorityUnavailable,
            "\(path(of: AuthorityFile.issuingCertificate)) was not issued as a CA by "
                + "\(path(of: AuthorityFile.rootCertificate)): \(reason)",
            hint: "restore the authority's folder from a backup")
    }

    private func damaged(_ name: String, _ error: any Error) -> ProvisioningError {
        ProvisioningError(
            .authorityUnavailable, "\(path(of: name)) is damaged: \(error)",
            hint: "restore the authority's folder from a backup")
    }
}
