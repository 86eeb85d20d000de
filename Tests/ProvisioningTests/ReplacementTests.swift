import Attestation
import CBOR
import OpenSSL
import Provisioning
import Registry
import SMP
import ProvisioningTesting
import Testing

/// Whose key may be revoked, and on whose word.
struct ReplacementTests {
    let bench: Bench
    let device: SimulatedDevice
    let earlier: [UInt8]

    /// A registered device that has a new key now.
    init() throws {
        bench = try Bench()
        device = try SimulatedDevice()
        try bench.run(device)
        earlier = device.thumbprint
        device.keys[1] = try SigningKey.generate()
        device.stored = [:]
    }

    @Test func aClaimAloneRevokesNothing() throws {
        let events = try bench.eventCount
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .replacementUnproven)
        #expect(try bench.eventCount == events)
        #expect(try bench.key(earlier)?.state == .active)
        #expect(device.stored.isEmpty)
    }

    /// The ID alone is no secret: another key ID is no way to credentials in another device's name.
    @Test func aClaimAloneAddsNoKeyEither() throws {
        let impostor = try SimulatedDevice()
        impostor.identity = device.identity
        impostor.keys = [2: try SigningKey.generate()]
        let events = try bench.eventCount
        let error = failure { _ = try bench.run(impostor) }
        #expect(error?.code == .replacementUnproven)
        #expect(try bench.eventCount == events)
        #expect(impostor.stored.isEmpty)

        bench.plan.replacesKey = true
        try bench.run(impostor)
        // A second key of one device: the first stays in force.
        #expect(try bench.key(earlier)?.state == .active)
    }

    /// Who revokes the key of a stolen board must not open its ID to the thief.
    @Test func aDeviceWhoseKeyWasRevokedNeedsAReasonToo() throws {
        try bench.registry.revoke(.key(earlier), reason: .keyCompromise, at: bench.now)
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .replacementUnproven)
        #expect(try bench.key(device.thumbprint) == nil)
        bench.plan.replacesKey = true
        let outcome = try bench.run(device)
        #expect(outcome.registration.record.superseded.isEmpty)
        #expect(try bench.key(device.thumbprint)?.state == .active)
    }

    @Test(arguments: [
        ReplacementGround.flashed, ReplacementGround.probeRead, ReplacementGround.userRequest,
    ])
    func eachGroundIsClaimedAlone(_ ground: ReplacementGround) throws {
        switch ground {
        case .flashed: bench.flashing()
        case .probeRead: bench.probe = TestProbe(id: device.identity.id)
        case .userRequest: bench.plan.replacesKey = true
        }
        let outcome = try bench.run(device)
        #expect(outcome.registration.record.superseded == [earlier])
        let key = try #require(try bench.key(earlier))
        #expect(key.state == .revoked)
        #expect(key.revocation?.reason == .superseded)
        #expect(try bench.registry.credentialsInForce(for: earlier).isEmpty)
        #expect(try bench.key(device.thumbprint)?.state == .active)
        let registered = try #require(
            try bench.registry.history(of: device.thumbprint)
                .first { $0.kind == .keyRegistered })
        #expect(registered.body.contains(#""grounds":["\#(ground.rawValue)"]"#))
    }

    @Test func theEarlierKeyIsRevokedBeforeTheNewCredentialLeaves() throws {
        bench.flashing()
        device.reaction = { (request) throws(ProvisioningError) in
            guard request.isWrite(DeviceContract.Command.credential) else { return .obey }
            let state = try bench.secondView().key(earlier)?.state
            return state == .revoked ? .obey : .fail(.internalFailure)
        }
        try bench.run(device)
    }

    /// 33 octets have 66 digits, a certificate's serialNumber 64 characters.
    @Test(arguments: [33, 64])
    func whatCannotBeIssuedRevokesNothing(_ idLength: Int) throws {
        let device = try SimulatedDevice()
        device.identity = try Self.identity(idLength)
        bench.plan.credentials = [.cwt]
        try bench.run(device)
        let earlier = device.thumbprint
        device.keys[1] = try SigningKey.generate()
        device.stored = [:]
        bench.plan.credentials = [.x509Chain, .cwt]
        bench.plan.replacesKey = true
        let events = try bench.eventCount

        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .issuanceFailed)
        #expect(error?.reason.contains("\(idLength) octets") == true)
        #expect(error?.hint?.contains("--credentials cwt") == true)
        #expect(try bench.eventCount == events)
        #expect(try bench.key(earlier)?.state == .active)
        #expect(try bench.key(device.thumbprint) == nil)

        // What the hint says works.
        bench.plan.credentials = [.cwt]
        #expect(try bench.run(device).registration.record.superseded == [earlier])
    }

    private static func identity(_ idLength: Int) throws -> DeviceIdentity {
        let id = try #require(DeviceID([UInt8](repeating: 0xA5, count: idLength)))
        return DeviceIdentity(board: "testboard", id: id)
    }

    /// The longest ID that a certificate takes gets one.
    @Test func anIDOf32OctetsGetsACertificate() throws {
        let device = try SimulatedDevice()
        device.identity = try Self.identity(32)
        #expect(try bench.run(device).credentials.map(\.type).contains(.x509Chain))
    }

    @Test func aProbeThatReadsAnotherIDIsNoGround() throws {
        bench.flashing()
        bench.plan.replacesKey = true
        bench.probe = TestProbe(id: DeviceID(hexadecimal: "77b0000000000001")!)
        let events = try bench.eventCount
        let requests = device.requests.count
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .idMismatch)
        #expect(error?.reason.contains("77b0000000000001") == true)
        #expect(error?.reason.contains(device.identity.id.description) == true)
        #expect(try bench.eventCount == events)
        // Found out before the device was asked for more than its name.
        #expect(device.requests.count == requests + 1)
    }

    @Test func anotherKeyIDDoesNotTouchTheEarlierKey() throws {
        device.keys[2] = try SigningKey.generate()
        bench.plan.keyID = 2
        bench.flashing()
        let outcome = try bench.run(device)
        #expect(outcome.registration.record.superseded.isEmpty)
        #expect(try bench.key(earlier)?.state == .active)
    }

    @Test func whatWasErasedIsRevokedUnderEveryKeyID() throws {
        device.keys = [7: try SigningKey.generate()]
        bench.plan.keyID = 7
        bench.plan.replacesKey = true
        try bench.run(device)
        let other = device.thumbprint
        bench.plan.keyID = nil
        bench.plan.replacesKey = false
        bench.flashing(erasing: true) {
            device.keys = [1: try SigningKey.generate()]
            device.stored = [:]
        }
        let outcome = try bench.run(device)
        #expect(outcome.registration.record.superseded == [earlier, other])
        #expect(try bench.key(earlier)?.state == .revoked)
        #expect(try bench.key(other)?.state == .revoked)
        #expect(try bench.key(device.thumbprint)?.state == .active)
        #expect(try bench.isIntact)
    }
}

/// Which device a run is about.
struct SelectionTests {
    @Test func theProbeIsComparedWithTheEvidenceToo() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.probe = TestProbe(id: device.identity.id)
        let outcome = try bench.run(device)
        #expect(outcome.registration.attestation.isProbeBound)
        #expect(bench.log.steps.first == .identify)

        bench.probe = nil
        #expect(try !bench.run(device).registration.attestation.isProbeBound)
    }

    @Test func anotherBoardThanThePlatformsIsRefused() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.board = "microbit"
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .idMismatch)
        #expect(error?.reason.contains("microbit") == true)
        #expect(error?.reason.contains("testboard") == true)
        #expect(device.requests.count == 1 && device.isClosed)
        bench.plan.board = "testboard"
        try bench.run(device)
    }

    @Test func anotherDeviceThanTheUsersIsRefused() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.device = DeviceID(hexadecimal: "77b0000000000001")
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .idMismatch)
        #expect(error?.reason.contains("77b0000000000001") == true)
        #expect(device.requests.count == 1 && device.isClosed)
        #expect(try bench.eventCount == 0)
        bench.plan.device = device.identity.id
        try bench.run(device)
    }

    /// Flashing, and erasing more so, can't be taken back.
    @Test func anotherDeviceThanTheUsersIsNotFlashed() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.flashing(erasing: true)
        bench.plan.device = DeviceID(hexadecimal: "77b0000000000001")
        bench.probe = TestProbe(id: device.identity.id)
        #expect(failure { _ = try bench.run(device) }?.code == .idMismatch)
        #expect(bench.flasher?.erasures == [])

        bench.plan.device = device.identity.id
        try bench.run(device)
        #expect(bench.flasher?.erasures == [true])
    }

    /// The probe tells before the port is opened: another device may be in use there.
    @Test func anotherDeviceThanTheUsersIsNotSpokenTo() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.device = DeviceID(hexadecimal: "77b0000000000001")
        bench.probe = TestProbe(id: device.identity.id)
        #expect(failure { _ = try bench.run(device) }?.code == .idMismatch)
        #expect(device.requests.isEmpty)
    }

    @Test func anImageNeedsAWayToFlashIt() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.image = FirmwareImage(path: "/image.elf")
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .usage)
        #expect(error?.reason.contains("/image.elf") == true)
        #expect(device.requests.isEmpty)
    }

    @Test func withoutAnImageNothingIsFlashed() throws {
        let bench = try Bench()
        bench.flashing()
        bench.plan.image = nil
        let outcome = try bench.run(SimulatedDevice())
        #expect(outcome.receipt == nil)
        #expect(bench.flasher?.erasures == [])
    }

    @Test func aFlashThatFailsEndsTheRun() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.flashing { throw ProvisioningError(.flashMismatch, "one byte differs") }
        #expect(failure { _ = try bench.run(device) }?.code == .flashMismatch)
        #expect(device.requests.isEmpty)
    }
}
