internal import Attestation
internal import COSE
internal import SMP

extension Provisioner {
    /// A nonce for the device, and the evidence that it signed over it.
    struct CollectedEvidence {
        let nonce: [UInt8]
        let bytes: [UInt8]
    }

    /// Octets. RFC 9711 §4.1 allows 8 to 64.
    private static var nonceLength: Int { 32 }

    func collectEvidence(of key: KeyDescription, _ session: DeviceSession) throws(ProvisioningError)
        -> CollectedEvidence
    {
        observer.began(.evidence)
        let evidence = try readEvidence(keyID: key.keyID, session)
        observer.ended(.evidence, "\(evidence.bytes.count) bytes, signed over our nonce")
        return evidence
    }

    func readEvidence(keyID: UInt32, _ session: DeviceSession) throws(ProvisioningError)
        -> CollectedEvidence
    {
        let nonce = try surroundings.randomBytes(Self.nonceLength)
        let bytes = try session.read(
            contract.readEvidence(keyID: keyID, nonce: nonce), to: "read the evidence")
        return CollectedEvidence(nonce: nonce, bytes: bytes)
    }

    /// The Verifier's part: signature, freshness, identity, and that all of it is about this key.
    func appraise(
        _ collected: CollectedEvidence, of key: KeyDescription, _ description: DeviceDescription,
        probedID: DeviceID?
    ) throws(ProvisioningError) -> AttestationResult {
        observer.began(.appraise)
        let expectation = Expectation(
            nonce: collected.nonce, identity: try identity(of: description),
            publicKey: key.publicKey, algorithm: COSEAlgorithm(rawValue: key.algorithm),
            probedID: probedID)
        let evidence = try parse(collected)
        do throws(AppraisalError) {
            let result = try Verifier.appraise(evidence, against: expectation)
            observer.ended(
                .appraise,
                "the key \(result.thumbprint.prefix(4).hexadecimal)… is in the device"
                    + (result.isProbeBound ? "; the probe read the same ID" : ""))
            return result
        } catch {
            throw ProvisioningError(error)
        }
    }

    func parse(_ collected: CollectedEvidence) throws(ProvisioningError) -> Evidence {
        do throws(EvidenceError) {
            return try Evidence(collected.bytes)
        } catch {
            throw ProvisioningError(error.code, error.description)
        }
    }
}

extension ProvisioningError {
    init(_ error: AppraisalError) {
        let hint =
            switch error {
            case .ueidMismatch, .algorithmMismatch:
                "the device contradicts itself: does its firmware hold the device library as it is?"
            default: error.code.hint
            }
        self.init(ErrorCode(error.code), error.description, hint: hint)
    }

    init(_ code: RefusalCode, _ reason: String) {
        self.init(ErrorCode(code), reason, hint: code.hint)
    }
}

extension RefusalCode {
    /// What to do about a device that is refused for this.
    fileprivate var hint: String {
        switch self {
        case .evidenceMalformed:
            "run again; if it stays, flash firmware with the device library of this version"
        case .evidenceSignature:
            "run again; if it stays, the device's key is damaged: --erase has it make a new one"
        case .evidenceReplayed:
            "somebody repeats an earlier answer, or two devices share the line"
        case .evidenceProfile:
            "this program and the firmware are of different versions: bring the older one up to date"
        case .keyInvalid:
            "the device's key is no key: --erase has it make a new one; if it stays, look at the "
                + "firmware's cryptography"
        case .keyMismatch:
            "run again; if it stays, two devices share the line, or the device loses its key"
        case .idMismatch: "two boards are attached? select one with --device"
        case .idMissing: "name the probe's GDB server with --probe: it reads the ID"
        case .csrRefused:
            "run again; if it stays, flash firmware with the device library of this version"
        case .credentialMismatch:
            "run again; if it stays, the device's storage loses what it is given"
        }
    }
}

extension ErrorCode {
    init(_ code: RefusalCode) {
        self =
            switch code {
            case .evidenceMalformed: .evidenceMalformed
            case .evidenceSignature: .evidenceSignature
            case .evidenceReplayed: .evidenceReplayed
            case .evidenceProfile: .evidenceProfile
            case .keyInvalid: .keyInvalid
            case .keyMismatch: .keyMismatch
            case .idMismatch: .idMismatch
            case .csrRefused: .csrRefused
            case .idMissing: .idMissing
            case .credentialMismatch: .credentialMismatch
            }
    }
}
