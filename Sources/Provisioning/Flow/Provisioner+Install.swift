internal import Attestation
public import Issuance
internal import OpenSSL
internal import SMP

/// What went over the wire, and what the device has to hold now.
public struct Delivery: Sendable {
    /// Credentials that the device did not hold yet, in the order of delivery.
    public let sent: [CredentialType]
    /// SHA-256 of every credential that the device has to hold.
    public let digests: [CredentialType: [UInt8]]
}

extension Provisioner {
    /// Delivers what the device does not hold yet. Its evidence names what it holds; the device makes
    /// a credential visible only when all of it arrived, so a torn delivery is simply repeated.
    func install(
        _ credentials: [Credential], on description: DeviceDescription,
        for registration: Registration, _ session: DeviceSession
    ) throws(ProvisioningError) -> Delivery {
        observer.began(.install)
        let held = registration.attestation.storedCredentials
        var digests: [CredentialType: [UInt8]] = [:]
        var sent: [CredentialType] = []
        var byteCount = 0
        for credential in credentials.sorted(by: { $0.type.rawValue < $1.type.rawValue }) {
            let digest = SHA256.hash(credential.bytes)
            digests[credential.type] = digest
            if held[credential.type.rawValue] == digest { continue }
            do throws(ProvisioningError) {
                try send(credential, digest, to: description, registration, session)
            } catch {
                guard error.code.isAnswerThatInstallsNothing else { throw error }
                throw ProvisioningError(.installFailed, error.reason, hint: error.hint)
            }
            sent.append(credential.type)
            byteCount += credential.bytes.count
        }
        observer.ended(
            .install,
            sent.isEmpty
                ? "nothing to send, the device holds everything"
                : "\(sent.map(\.title).joined(separator: ", ")): \(byteCount) bytes")
        return Delivery(sent: sent, digests: digests)
    }

    private func send(
        _ credential: Credential, _ digest: [UInt8], to description: DeviceDescription,
        _ registration: Registration, _ session: DeviceSession
    ) throws(ProvisioningError) {
        let doing = "deliver the \(credential.type.title)"
        try session.withSecondChance { () throws(ProvisioningError) in
            try session.write(
                credential.bytes, digest: digest, keyID: registration.keyID,
                type: credential.type.rawValue, chunkLimit: description.chunkLength, to: doing
            ) { done in
                observer.progressed(.install, done: done, of: credential.bytes.count)
            }
        }
    }
}

extension ErrorCode {
    /// What the device answered to a part of a credential, in place of taking it. Silence and noise are
    /// no answers, and keep their names.
    fileprivate var isAnswerThatInstallsNothing: Bool {
        switch self {
        case .deviceRefused, .protocolViolation, .answerOversized, .answerTooDeep,
            .transferStalled:
            true
        default: false
        }
    }
}
