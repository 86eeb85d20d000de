internal import Attestation
internal import Issuance
internal import OpenSSL

extension Provisioner {
    /// The device signs a second nonce with the key that was certified and names what it stored, and gives
    /// it back; then the key is active.
    func confirm(_ delivery: Delivery, of registration: Registration, _ session: DeviceSession)
        throws(ProvisioningError) -> Confirmation
    {
        observer.began(.confirm)
        let confirmation = try session.withSecondChance {
            () throws(ProvisioningError) -> Confirmation in
            let collected = try readEvidence(keyID: registration.keyID, session)
            return try self.confirmation(in: collected, delivery, of: registration)
        }
        // What a device names may be what it was told at delivery, not what came to its storage. A delivery
        // of an earlier run that broke off here is as unproven. Else the bytes are saved.
        let unproven =
            registration.record.state == .pending ? Array(delivery.digests.keys) : delivery.sent
        for type in unproven.sorted(by: { $0.rawValue < $1.rawValue }) {
            try readBack(type, delivery, of: registration, session)
        }
        try registry.activate(
            registration.thumbprint, confirmation: confirmation.evidence, at: surroundings.now())
        observer.ended(
            .confirm,
            "the device signed with its key and "
                + (unproven.isEmpty ? "names what it holds" : "gives back what it holds"))
        return confirmation
    }

    /// The stored bytes themselves, as a flasher reads back what it wrote.
    private func readBack(
        _ type: CredentialType, _ delivery: Delivery, of registration: Registration,
        _ session: DeviceSession
    ) throws(ProvisioningError) {
        let doing = "read the \(type.title) back"
        do throws(ProvisioningError) {
            try session.withSecondChance { () throws(ProvisioningError) in
                let bytes = try session.read(
                    contract.readCredential(keyID: registration.keyID, type: type.rawValue),
                    to: doing)
                let digest = SHA256.hash(bytes)
                guard digest != delivery.digests[type] else { return }
                throw ProvisioningError(
                    .credentialMismatch,
                    "the device names the \(type.title) that it was given, and what reads back is "
                        + "\(bytes.count) bytes with the SHA-256 \(digest.hexadecimal)",
                    hint: Self.mismatchHint)
            }
        } catch {
            // It names what it will not show.
            guard error.code == .deviceRefused else { throw error }
            throw ProvisioningError(.credentialMismatch, error.reason, hint: Self.mismatchHint)
        }
    }

    private static var mismatchHint: String {
        "run again; if it stays, the device's storage loses what it is given"
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
                .credentialMismatch, "\(refusal)", hint: Self.mismatchHint)
        }
        throw ProvisioningError(
            .confirmFailed, "\(error)",
            hint: "run again; if it stays, two devices share the line, or the device lost its key")
    }
}
