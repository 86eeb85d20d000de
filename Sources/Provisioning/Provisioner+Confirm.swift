internal import Attestation

extension Provisioner {
    /// The device signs a second nonce with the key that was certified and names what it stored; then
    /// the key is active.
    func confirm(_ delivery: Delivery, of registration: Registration, _ session: DeviceSession)
        throws(ProvisioningError) -> Confirmation
    {
        observer.began(.confirm)
        let confirmation = try session.withSecondChance {
            () throws(ProvisioningError) -> Confirmation in
            let collected = try readEvidence(keyID: registration.keyID, session)
            return try self.confirmation(in: collected, delivery, of: registration)
        }
        try registry.activate(
            registration.thumbprint, confirmation: confirmation.evidence, at: surroundings.now())
        observer.ended(.confirm, "the device signed with its key and names what it holds")
        return confirmation
    }

    private func confirmation(
        in collected: CollectedEvidence, _ delivery: Delivery, of registration: Registration
    ) throws(ProvisioningError) -> Confirmation {
        let installed = Dictionary(
            uniqueKeysWithValues: delivery.digests.map { ($0.rawValue, $1) })
        let error: any Error
        do {
            return try Verifier.confirm(
                Evidence(collected.bytes), nonce: collected.nonce,
                result: registration.attestation, installed: installed)
        } catch let refusal {
            error = refusal
        }
        if let refusal = error as? AppraisalError, refusal.code == .credentialMismatch {
            throw ProvisioningError(
                .credentialMismatch, "\(refusal)",
                hint: "run again; if it stays, the device's storage loses what it is given")
        }
        throw ProvisioningError(
            .confirmFailed, "\(error)",
            hint: "run again; if it stays, two devices share the line, or the device lost its key")
    }
}
