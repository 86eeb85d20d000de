import Attestation
import OpenSSL
import Testing

struct ConfirmationTests {
    static let second = [UInt8](repeating: 0x22, count: 32)
    static let token = SHA256.hash(Array("token".utf8))
    static let chain = SHA256.hash(Array("chain".utf8))

    /// A device that stores a chain from before, and its first result.
    static func appraised() throws -> (SimulatedDevice, AttestationResult) {
        var device = try SimulatedDevice()
        device.stored = [1: chain]
        let result = try Verifier.appraise(
            device.evidence(Run.nonce), against: device.expectation)
        return (device, result)
    }

    static func confirm(
        _ evidence: Evidence, _ result: AttestationResult, nonce: [UInt8] = second,
        installed: [UInt64: [UInt8]] = [2: token]
    ) throws(AppraisalError) -> Attestation.Confirmation {
        try Verifier.confirm(evidence, nonce: nonce, result: result, installed: installed)
    }

    @Test func theDeviceNamesWhatItStores() throws {
        var (device, result) = try Self.appraised()
        device.stored[2] = Self.token
        let evidence = try device.evidence(Self.second)
        let confirmation = try Self.confirm(evidence, result)
        #expect(confirmation.identity == result.identity)
        #expect(confirmation.thumbprint == result.thumbprint)
        #expect(confirmation.storedCredentials == [1: Self.chain, 2: Self.token])
        #expect(confirmation.evidence == evidence.bytes)
    }

    @Test func anInstalledCredentialReplacesTheEarlierOne() throws {
        var (device, result) = try Self.appraised()
        device.stored[1] = Self.token
        _ = try Self.confirm(device.evidence(Self.second), result, installed: [1: Self.token])
        #expect(throws: AppraisalError.self) {
            try Self.confirm(device.evidence(Self.second), result, installed: [1: Self.chain])
        }
    }

    @Test func whatIsNotStoredIsNotConfirmed() throws {
        let (device, result) = try Self.appraised()
        let error = #expect(throws: AppraisalError.self) {
            try Self.confirm(device.evidence(Self.second), result)
        }
        #expect(error == .credentialMismatch(type: 2, expected: Self.token, claimed: nil))
        #expect(error?.code == .credentialMismatch)
    }

    @Test func otherCredentialsAreNotConfirmed() throws {
        var (device, result) = try Self.appraised()
        device.stored = [1: Self.chain, 2: Self.chain]
        #expect(
            throws: AppraisalError.credentialMismatch(
                type: 2, expected: Self.token, claimed: Self.chain)
        ) { try Self.confirm(device.evidence(Self.second), result) }
        device.stored = [2: Self.token]
        #expect(
            throws: AppraisalError.credentialMismatch(type: 1, expected: Self.chain, claimed: nil)
        ) { try Self.confirm(device.evidence(Self.second), result) }
        device.stored = [1: Self.chain, 2: Self.token, 3: Self.token]
        #expect(
            throws: AppraisalError.credentialMismatch(type: 3, expected: nil, claimed: Self.token)
        ) { try Self.confirm(device.evidence(Self.second), result) }
    }

    @Test func theFirstNonceDoesNotConfirm() throws {
        var (device, result) = try Self.appraised()
        device.stored[2] = Self.token
        let old = try device.evidence(Run.nonce)
        #expect(throws: AppraisalError.replayed(sent: Self.second, claimed: Run.nonce)) {
            try Self.confirm(old, result)
        }
        #expect(throws: AppraisalError.replayed(sent: Run.nonce, claimed: Run.nonce)) {
            try Self.confirm(old, result, nonce: Run.nonce)
        }
    }

    @Test func anotherKeyOrIdentityDoesNotConfirm() throws {
        var (device, result) = try Self.appraised()
        device.stored[2] = Self.token
        var other = device
        other.key = try SigningKey.generate()
        #expect(
            throws: AppraisalError.keyMismatch(
                announced: device.key.publicKey, claimed: other.key.publicKey)
        ) { try Self.confirm(other.evidence(Self.second), result) }
        device.identity = DeviceIdentity(board: "microbit", id: Run.otherID)
        #expect(throws: AppraisalError.idMismatch(announced: Run.id, claimed: Run.otherID)) {
            try Self.confirm(device.evidence(Self.second), result)
        }
    }
}

struct EndorsementTests {
    static let second = ConfirmationTests.second

    @Test func theEarlierKeySpeaksForTheNewOne() throws {
        let earlier = try SimulatedDevice()
        let device = try SimulatedDevice()
        let result = try Verifier.appraise(
            device.evidence(Run.nonce), against: device.expectation)
        let evidence = try earlier.evidence(Self.second)
        let known = evidence.key.thumbprint
        let endorsed = try Verifier.endorse(
            result, with: evidence, nonce: Self.second, known: known)
        #expect(endorsed.basis == .endorsed)
        #expect(endorsed.thumbprint == result.thumbprint)

        #expect(throws: AppraisalError.replayed(sent: Run.nonce, claimed: Self.second)) {
            try Verifier.endorse(result, with: evidence, nonce: Run.nonce, known: known)
        }
        #expect(throws: AppraisalError.endorsementMismatch(known: [1], claimed: known)) {
            try Verifier.endorse(result, with: evidence, nonce: Self.second, known: [1])
        }
        // A key can't speak for itself.
        let own = try device.evidence(Self.second)
        #expect(throws: AppraisalError.self) {
            try Verifier.endorse(
                result, with: own, nonce: Self.second, known: result.thumbprint)
        }
    }

    @Test func anotherDevicesKeyDoesNot() throws {
        var other = try SimulatedDevice()
        other.identity = DeviceIdentity(board: "microbit", id: Run.otherID)
        let device = try SimulatedDevice()
        let result = try Verifier.appraise(
            device.evidence(Run.nonce), against: device.expectation)
        let evidence = try other.evidence(Self.second)
        #expect(throws: AppraisalError.idMismatch(announced: Run.id, claimed: Run.otherID)) {
            try Verifier.endorse(
                result, with: evidence, nonce: Self.second, known: evidence.key.thumbprint)
        }
    }
}
