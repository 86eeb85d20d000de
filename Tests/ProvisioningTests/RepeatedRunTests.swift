import Authority
import COSE
import Issuance
import OpenSSL
import Provisioning
import Registry
import SMP
import ProvisioningTesting
import Testing

struct RepeatedRunTests {
    @Test func theSameKeyAgainChangesNothing() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        let first = try bench.run(device)
        let events = try bench.eventCount
        let writes = device.requests.count { $0.isWrite(DeviceContract.Command.credential) }

        let issuer = RecordingIssuer(bench.authority)
        let second = try bench.run(device, issuer: issuer)
        #expect(try bench.eventCount == events)
        #expect(issuer.plans.isEmpty)
        #expect(second.delivery.sent.isEmpty)
        #expect(Set(second.credentials) == Set(first.credentials))
        #expect(!second.registration.record.isNew)
        #expect(
            device.requests.count { $0.isWrite(DeviceContract.Command.credential) } == writes)
        #expect(bench.log.summaries[.register] == "same key, nothing changed")
    }

    @Test func aLostCredentialIsDeliveredAgain() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        try bench.run(device)
        let slot = SimulatedDevice.Slot(keyID: 1, type: CredentialType.cwt.rawValue)
        let lost = device.stored.removeValue(forKey: slot)
        let events = try bench.eventCount
        let second = try bench.run(device)
        #expect(second.delivery.sent == [.cwt])
        #expect(device.stored[slot] == lost)
        #expect(try bench.eventCount == events)
    }

    @Test func anExpiredCredentialIsIssuedAnew() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.validity = 3600
        let first = try bench.run(device)

        bench.now = NumericDate(seconds: bench.now.seconds + 3599)
        #expect(try bench.run(device).delivery.sent.isEmpty)

        bench.now = NumericDate(seconds: bench.now.seconds + 1)
        let second = try bench.run(device)
        #expect(second.delivery.sent == [.x509Chain, .cwt])
        #expect(Set(second.credentials).isDisjoint(with: first.credentials))
        let records = try bench.registry.credentials(of: device.thumbprint)
        #expect(records.count == 4)
        #expect(records.filter { $0.revocation?.reason == .superseded }.count == 2)
        #expect(
            try Set(bench.registry.credentialsInForce(for: device.thumbprint))
                == Set(second.credentials))
    }

    @Test func anotherAuthoritysCredentialsDoNotCount() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        try bench.run(device)
        let other = try FileAuthority.create(
            at: bench.folder + "/other", name: "Other", now: bench.now)
        let outcome = try bench.run(device, issuer: other)
        let delivered = outcome.credentials.filter { $0.type != .trustAnchors }
        #expect(delivered.count == 2)
        for credential in delivered {
            #expect(credential.issuer == other.keyDigest(for: credential.type))
        }
        #expect(
            Set(try bench.registry.credentialsInForce(for: device.thumbprint)) == Set(delivered))
    }

    @Test func aShorterValidityIsIssuedAnewALongerOneOnlyAtTheEnd() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        let first = try bench.run(device).credentials
        bench.plan.validity = 86400
        let second = try bench.run(device).credentials
        #expect(Set(second.map(\.serialNumber)).isDisjoint(with: first.map(\.serialNumber)))
        bench.plan.validity = 2 * 86400
        let third = try bench.run(device).credentials
        #expect(Set(third) == Set(second))
    }

    @Test func whatIsNotValidYetIsIssuedAnew() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        let now = bench.now
        bench.now.seconds += 2 * 31_557_600
        let early = try bench.run(device).credentials
        bench.now = now
        let second = try bench.run(device).credentials
        #expect(second.map(\.type) == early.map(\.type))
        #expect(second.allSatisfy { $0.notBefore == now })
        let signed = second.filter { $0.type != .trustAnchors }
        #expect(Set(try bench.registry.credentialsInForce(for: device.thumbprint)) == Set(signed))
    }

    /// A clock that is a little behind the authority: what it signs anew would begin no earlier.
    @Test func aSlowClockIssuesNothingAnew() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        let first = try bench.run(device).credentials
        bench.now.seconds -= 3600
        #expect(Set(try bench.run(device).credentials) == Set(first))
    }

    @Test func aTypeThatIsNoLongerAskedForStays() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        try bench.run(device)
        let held = device.stored
        bench.plan.credentials = [.cwt]
        let second = try bench.run(device)
        #expect(second.credentials.map(\.type) == [.cwt])
        #expect(second.delivery.sent.isEmpty)
        #expect(device.stored == held)
        #expect(second.confirmation.storedCredentials.keys.sorted() == [1, 2])
    }

    /// Wherever a run breaks off, the next one ends well and leaves one key and one credential of
    /// each type.
    @Test(arguments: 0..<14)
    func aRunThatBrokeOffIsContinued(afterRequests count: Int) throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        var left = count
        device.reaction = { _ in
            left -= 1
            return left < 0 ? .fail(.interrupted) : .obey
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .interrupted)
        #expect(device.isClosed)
        #expect(try bench.key(device.thumbprint)?.state != .active)

        device.restart()
        let outcome = try bench.run(device)
        #expect(outcome.registration.thumbprint == device.thumbprint)
        #expect(try bench.key(device.thumbprint)?.state == .active)
        let inForce = try bench.registry.credentialsInForce(for: device.thumbprint)
        #expect(Set(inForce.map(\.type)) == [.x509Chain, .cwt])
        #expect(
            Set(device.stored.values.map { $0 }) == Set(inForce.map(\.bytes)))
        #expect(try bench.registry.keys().records.count == 1)
        #expect(try bench.isIntact)
    }

    @Test func whatWasSignedBeforeTheInterruptionIsNotSignedAgain() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { request in
            request.isWrite(DeviceContract.Command.credential) ? .fail(.interrupted) : .obey
        }
        #expect(failure { _ = try bench.run(device) }?.code == .interrupted)
        #expect(try bench.key(device.thumbprint)?.state == .pending)
        let recorded = try bench.registry.credentialsInForce(for: device.thumbprint)
        #expect(recorded.count == 2)

        device.restart()
        let issuer = RecordingIssuer(bench.authority)
        let outcome = try bench.run(device, issuer: issuer)
        #expect(issuer.plans.isEmpty)
        #expect(Set(outcome.credentials) == Set(recorded))
        #expect(outcome.delivery.sent == [.x509Chain, .cwt])
    }

    @Test func aRevokedKeyStaysRevoked() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        try bench.run(device)
        try bench.registry.revoke(
            .key(device.thumbprint), reason: .keyCompromise, at: bench.now)
        let events = try bench.eventCount
        bench.flashing()
        bench.plan.replacesKey = true
        #expect(failure { _ = try bench.run(device) }?.code == .keyRevoked)
        #expect(try bench.eventCount == events)
    }

    @Test func oneKeyBelongsToOneDevice() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        try bench.run(device)
        let clone = try SimulatedDevice("77b0000000000001")
        clone.keys = device.keys
        let events = try bench.eventCount
        let error = failure { _ = try bench.run(clone) }
        #expect(error?.code == .keyShared)
        #expect(error?.reason.contains(device.identity.id.description) == true)
        #expect(error?.reason.contains(clone.identity.id.description) == true)
        #expect(try bench.eventCount == events)
        #expect(clone.stored.isEmpty)
    }
}
