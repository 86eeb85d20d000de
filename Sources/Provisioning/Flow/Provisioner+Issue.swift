internal import Attestation
internal import COSE
public import Issuance

extension Provisioner {
    /// To be called before the key is registered: a key that can get no credential must not cost the
    /// device its earlier one.
    ///
    /// - Throws: `.issuanceFailed`; `.keyIncomplete`.
    func checkIssuance(for result: AttestationResult) throws(ProvisioningError) {
        guard !plan.credentials.isEmpty else { return }
        if result.key.isXOnly, plan.credentials.contains(.x509Chain) {
            throw ProvisioningError(
                .keyIncomplete,
                "of key \(result.thumbprint.hexadecimal) the device reports only x, and an X.509 "
                    + "certificate needs y",
                hint: "a CWT takes it: --credentials cwt")
        }
        let issuance = try issuancePlan(
            for: result.identity, result.publicKey, plan.credentials, surroundings.now())
        do throws(IssuanceError) {
            try issuance.validate()
        } catch {
            throw ProvisioningError(.issuanceFailed, error.reason, hint: error.hint)
        }
    }

    /// The credentials that the device shall hold: those in force from an earlier run, and new ones
    /// for what is missing, recorded before anything leaves the host.
    func issue(for registration: Registration) throws(ProvisioningError) -> [Credential] {
        observer.began(.issue)
        let now = surroundings.now()
        let inForce = registration.record.credentials.filter { serves($0, at: now) }
        let missing = plan.credentials.subtracting(inForce.map(\.type))
        guard !missing.isEmpty else {
            observer.ended(.issue, summaryInForce(inForce))
            return inForce
        }
        let signed = try issuer.sign(
            try issuancePlan(for: registration.identity, registration.publicKey, missing, now))
        // Trust anchors name no key: there is nothing about them to revoke.
        let recorded = signed.filter { $0.type != .trustAnchors }
        if !recorded.isEmpty {
            try registry.record(recorded, for: registration.thumbprint, at: now)
        }
        observer.ended(
            .issue,
            recorded.isEmpty
                ? summaryInForce(inForce)
                : "signed \(summary(of: recorded))")
        return inForce + signed
    }

    /// Whether a credential from an earlier run is what this run would sign: of a type that is wanted,
    /// by the same issuer, begun, not at its end, and not for longer than is wanted now.
    private func serves(_ credential: Credential, at now: NumericDate) -> Bool {
        guard plan.credentials.contains(credential.type),
            credential.issuer == issuer.keyDigest(for: credential.type),
            // It would be of no use yet if the clock was ahead when it was signed.
            credential.notBefore <= max(now, issuer.notBefore)
        else { return false }
        guard let notAfter = credential.notAfter else { return plan.validity == nil }
        return notAfter > now
            && plan.validity.map { notAfter.seconds <= now.seconds + $0 } ?? true
    }

    private func issuancePlan(
        for identity: DeviceIdentity, _ publicKey: [UInt8], _ types: Set<CredentialType>,
        _ now: NumericDate
    ) throws(ProvisioningError) -> IssuancePlan {
        var serialNumbers: [CredentialType: [UInt8]] = [:]
        for type in types where type != .trustAnchors {
            serialNumbers[type] = try serialNumber()
        }
        return IssuancePlan(
            deviceID: identity.id.description, board: identity.board,
            publicKey: publicKey, types: types, serialNumbers: serialNumbers,
            notBefore: now, notAfter: plan.validity.map { NumericDate(seconds: now.seconds + $0) })
    }

    /// 16 random octets, positive and without leading zeros as a DER INTEGER. RFC 5280 §4.1.2.2.
    private func serialNumber() throws(ProvisioningError) -> [UInt8] {
        var octets = try surroundings.randomBytes(16)
        octets[0] = octets[0] & 0x7f | 0x40
        return octets
    }

    /// What there is, and when the first of it ends.
    private func summaryInForce(_ credentials: [Credential]) -> String {
        guard !credentials.isEmpty else { return "nothing to sign" }
        let end = credentials.compactMap(\.notAfter).min()
        let left = end.map { ", \(($0.seconds - surroundings.now().seconds) / 86400) days left" }
        return "nothing to sign: \(summary(of: credentials)) in force" + (left ?? "")
    }

    func summary(of credentials: [Credential]) -> String {
        let names = credentials.map(\.type).sorted { $0.rawValue < $1.rawValue }.map(\.title)
        return names.isEmpty ? "nothing" : names.joined(separator: " and ")
    }
}

extension CredentialType {
    /// What a progress line calls it.
    public var title: String {
        switch self {
        case .x509Chain: "X.509 certificate"
        case .cwt: "CWT"
        case .trustAnchors: "trust anchors"
        }
    }
}
