public import Attestation
internal import COSE

/// A key that the registry has recorded, durably. Only `Provisioner.register` makes one.
public struct Registration: Sendable {
    public let identity: DeviceIdentity
    /// The key ID in the device's key store.
    public let keyID: UInt32
    /// The uncompressed point of the device's key, 65 octets; x alone, 32, where that is all it reports.
    public let publicKey: [UInt8]
    /// Under which the key is registered: RFC 9679, 32 octets.
    public let thumbprint: [UInt8]
    public let record: RegistrationRecord
    public let attestation: AttestationResult

    fileprivate init(
        _ claim: RegistrationClaim, _ record: RegistrationRecord, _ attestation: AttestationResult
    ) {
        identity = claim.identity
        keyID = claim.keyID
        publicKey = claim.publicKey
        thumbprint = record.registeredThumbprint ?? claim.thumbprint
        self.record = record
        self.attestation = attestation
    }
}

extension Provisioner {
    /// Records the key and revokes the device's earlier one, in one transaction.
    ///
    /// - Parameters:
    ///   - isImported: whether the device says that its key was made elsewhere.
    ///   - recentKeyLimit: see `RegistrationClaim`.
    func register(
        _ result: AttestationResult, keyID: UInt32, isImported: Bool, receipt: FlashReceipt?,
        recentKeyLimit: Int? = nil
    ) throws(ProvisioningError) -> Registration {
        observer.began(.register)
        let claim = RegistrationClaim(
            identity: result.identity, keyID: keyID, algorithm: result.algorithm.rawValue,
            publicKey: result.publicKey, thumbprint: result.thumbprint, evidence: result.evidence,
            basis: result.basis, isImported: isImported, firmwareDigest: receipt?.digest,
            grounds: grounds(result, receipt), hasErasedKeys: receipt != nil && plan.erases,
            isPossessionProven: result.isPossessionProven, recentKeyLimit: recentKeyLimit)
        let record = try registry.register(claim, at: surroundings.now())
        observer.ended(.register, summary(of: record))
        return Registration(claim, record, result)
    }

    /// Why the device's claim to its ID may be believed, if it comes with a new key.
    private func grounds(_ result: AttestationResult, _ receipt: FlashReceipt?)
        -> Set<ReplacementGround>
    {
        var grounds: Set<ReplacementGround> = []
        if receipt != nil { grounds.insert(.flashed) }
        if result.isProbeBound { grounds.insert(.probeRead) }
        if plan.replacesKey { grounds.insert(.userRequest) }
        return grounds
    }

    private func summary(of record: RegistrationRecord) -> String {
        guard record.isNew else { return "same key, nothing changed" }
        switch record.superseded.count {
        case 0: return "new key"
        case 1: return "new key; the earlier one is revoked (superseded)"
        case let count: return "new key; \(count) earlier ones are revoked (superseded)"
        }
    }
}
