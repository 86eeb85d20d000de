import Attestation
import CBOR
import COSE
import Issuance
import OpenSSL
import Provisioning
import Registry
import SMP
import ProvisioningTesting
import Testing

struct FirstRunTests {
    @Test func aDeviceGetsItsCredentials() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.flashing()
        bench.probe = TestProbe(id: device.identity.id)
        let outcome = try bench.run(device)

        #expect(bench.log.steps == Step.allCases.filter { $0 != .build && $0 != .attach })
        #expect(outcome.registration.thumbprint == device.thumbprint)
        #expect(outcome.registration.attestation.isProbeBound)
        #expect(outcome.delivery.sent == [.x509Chain, .cwt])
        #expect(outcome.receipt?.digest == TestFlasher.digest)
        #expect(outcome.retries == 0)
        #expect(outcome.channel === device && !device.isClosed)
        for credential in outcome.credentials {
            let slot = SimulatedDevice.Slot(keyID: 1, type: credential.type.rawValue)
            #expect(device.stored[slot] == credential.bytes)
        }
        #expect(bench.log.text.starts(with: Array("a line of the log".utf8)))

        let key = try #require(try bench.key(device.thumbprint))
        #expect(key.state == .active)
        #expect(key.identity == device.identity)
        #expect(key.keyID == 1)
        #expect(key.publicKey == device.keys[1]?.publicKey)
        #expect(key.firmwareDigest == TestFlasher.digest)
        #expect(key.registeredAt == bench.now)
        let evidence = try #require(try bench.registry.document(key.evidenceDigest))
        #expect(try Evidence(evidence).nonce == device.nonces.first)
        #expect(key.confirmationDigest == SHA256.hash(outcome.confirmation.evidence))
        #expect(try Evidence(outcome.confirmation.evidence).nonce == device.nonces.last)
        #expect(
            try Set(bench.registry.credentialsInForce(for: device.thumbprint))
                == Set(outcome.credentials))
        #expect(try bench.isIntact)
    }

    @Test func theCredentialsNameTheDeviceAndItsKey() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        let outcome = try bench.run(device)
        let chain = try #require(outcome.credentials.first { $0.type == .x509Chain })
        let leaf = try Certificate(
            der: #require(try CBORValue.decode(chain.bytes).array?.first?.bytes))
        #expect(leaf.publicKey == device.keys[1]?.publicKey)
        #expect(leaf.subject.description.contains(device.identity.id.description))
        let token = try #require(outcome.credentials.first { $0.type == .cwt })
        let message = try COSESign1.decode(token.bytes, tag: .required)
        let claims = try #require(try CBORValue.decode(message.payload).map)
        #expect(claims[2]?.text == device.identity.id.description)
        #expect(claims[8]?.map?[1] == COSEKey(p256: device.keys[1]!.publicKey)?.cbor)
    }

    @Test func nothingLeavesTheHostBeforeItIsDurable() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        var statesSeen: [KeyState?] = []
        device.reaction = { (request) throws(ProvisioningError) in
            guard request.isWrite(DeviceContract.Command.credential) else { return .obey }
            let registry = try bench.secondView()
            statesSeen.append(try registry.key(device.thumbprint)?.state)
            let inForce = try registry.credentialsInForce(for: device.thumbprint)
            let type = request.payload["type"]?.unsigned
            let isRecorded = inForce.contains { credential in
                let digest = request.payload["sha256"]?.bytes
                return credential.type.rawValue == type
                    && (digest == nil || digest == SHA256.hash(credential.bytes))
            }
            return isRecorded ? .obey : .fail(.internalFailure)
        }
        try bench.run(device)
        #expect(statesSeen.count > 2)
        #expect(statesSeen.allSatisfy { $0 == .pending })
    }

    @Test func aKeyIsActiveOnlyAfterTheSecondNonce() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        var states: [KeyState?] = []
        device.reaction = { (request) throws(ProvisioningError) in
            guard request.payload["nonce"] != nil else { return .obey }
            states.append(try bench.secondView().key(device.thumbprint)?.state)
            return .obey
        }
        try bench.run(device)
        #expect(states == [nil, .pending])
        #expect(device.nonces.count == 2)
        #expect(device.nonces[0] != device.nonces[1])
        #expect(device.nonces.allSatisfy { $0.count == 32 })
        #expect(try bench.key(device.thumbprint)?.state == .active)
    }

    @Test func aDeviceWithoutAKeyMakesOne() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.keys = [:]
        let outcome = try bench.run(device)
        #expect(outcome.registration.keyID == 1)
        #expect(device.keys[1]?.publicKey == outcome.registration.publicKey)
    }

    @Test func aKeyThatCameFromOutsideIsRecordedAsSuch() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        try bench.run(device)
        #expect(try bench.key(device.thumbprint)?.isImported == false)
        let other = try SimulatedDevice("77b0000000000001")
        other.importedKeys = [1]
        try bench.run(other)
        #expect(try bench.key(other.thumbprint)?.isImported == true)
    }

    @Test(arguments: [16, 17, 512, 32768])
    func aCredentialGoesInPartsThatTheDeviceTakes(_ chunkLength: Int) throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.chunkLength = chunkLength
        let outcome = try bench.run(device)
        #expect(Set(device.stored.values) == Set(outcome.credentials.map(\.bytes)))
    }

    @Test func theKeyThatIsAskedForIsTheOneThatIsCertified() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.keys[7] = try SigningKey.generate()
        bench.plan.keyID = 7
        let outcome = try bench.run(device)
        #expect(outcome.registration.keyID == 7)
        #expect(outcome.registration.publicKey == device.keys[7]?.publicKey)
        #expect(device.stored.keys.allSatisfy { $0.keyID == 7 })

        bench.plan.keyID = 9
        bench.plan.replacesKey = true
        let second = try bench.run(device)
        #expect(second.registration.keyID == 9)
        #expect(second.registration.publicKey == device.keys[9]?.publicKey)
    }

    @Test func theDeviceGetsWhatThePlanNames() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.credentials = [.cwt, .trustAnchors]
        bench.plan.validity = 3600
        let outcome = try bench.run(device)
        #expect(Set(device.stored.keys.map(\.type)) == [2, 3])
        #expect(outcome.delivery.sent == [.cwt, .trustAnchors])
        #expect(
            outcome.credentials.allSatisfy { $0.notAfter?.seconds == bench.now.seconds + 3600 })
        // Trust anchors name no key.
        #expect(
            try bench.registry.credentialsInForce(for: device.thumbprint).map(\.type) == [.cwt])
    }

    @Test func serialNumbersArePositiveAndDiffer() throws {
        let bench = try Bench()
        var serialNumbers: Set<[UInt8]> = []
        for number in 0..<4 {
            let issuer = RecordingIssuer(bench.authority)
            try bench.run(SimulatedDevice("0\(number)"), issuer: issuer)
            let plan = try #require(issuer.plans.first)
            for serialNumber in plan.serialNumbers.values {
                #expect(serialNumber.count == 16)
                #expect((0x40...0x7f).contains(serialNumber[0]))
                serialNumbers.insert(serialNumber)
            }
        }
        #expect(serialNumbers.count == 8)
    }
}
