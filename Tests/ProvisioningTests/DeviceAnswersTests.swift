import CBOR
import COSE
import Foundation
import Issuance
import OpenSSL
import Provisioning
import Registry
import SMP
import ProvisioningTesting
import Testing

/// What becomes of a run when the device is silent, forgetful or of another opinion.
struct DeviceAnswersTests {
    @Test func aSilentDeviceIsNamedWithItsPort() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        // A request every 250 ms, or more seldom where the machine is busy.
        bench.plan.deadlines.boot = .seconds(2)
        device.reaction = { _ in .miss }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .deviceSilent)
        #expect(error?.reason.contains(device.name) == true)
        #expect(device.requests.count >= 2)
        // Why it was asked again; the error says the rest.
        #expect(bench.log.remarks.count == device.requests.count - 1)
        let remark = try #require(bench.log.remarks.first)
        #expect(remark.hasPrefix("no answer in "))
        #expect(remark.hasSuffix(" ms: trying again to say hello to the device"))
        #expect(device.isClosed)
    }

    /// A frame that is too long, again and again, is no accident that deserves a second chance.
    @Test func aServerOfOversizedDatagramsIsGivenUpOnce() throws {
        let bench = try Bench()
        bench.plan.deadlines.boot = .milliseconds(200)
        let server = OversizedServer()
        let error = failure { _ = try bench.run(server) }
        #expect(error?.code == .answerOversized)
        #expect(server.requestCount > 0)
        #expect(!bench.log.remarks.contains { $0.contains("once more") }, "\(bench.log.remarks)")
        #expect(server.isClosed)
    }

    /// Its port and its firmware are the right ones then.
    @Test func aDeviceThatFallsSilentAnsweredBefore() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.deadlines.answer = .milliseconds(160)
        device.reaction = { request in
            request.isRead(DeviceContract.Command.key) ? .miss : .obey
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .deviceSilent)
        #expect(error?.reason.contains("read key 1") == true)
        #expect(error?.hint?.contains("it answered until then") == true)
        #expect(error?.hint?.contains("provision attach --port \(device.name)") == true)
    }

    /// The evidence that it made is lost: it makes another over the same nonce.
    @Test func aDeviceThatRestartsWhileItsEvidenceIsReadIsAskedAnew() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        var restarts = 1
        device.reaction = { request in
            guard request.isRead(DeviceContract.Command.evidence), restarts > 0,
                request.payload["nonce"] == nil
            else { return .obey }
            restarts -= 1
            return .refuse(.badLengthOrOffset)
        }
        try bench.run(device)
        #expect(device.nonces.count == 3 && Set(device.nonces).count == 2)
        #expect(try bench.key(device.thumbprint)?.state == .active)
        #expect(bench.log.remarks.count { $0.contains("once more from the first") } == 1)
    }

    @Test func aDeviceThatAlwaysRestartsIsRefusedAtLast() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { request in
            request.isRead(DeviceContract.Command.evidence) && request.payload["nonce"] == nil
                ? .refuse(.badLengthOrOffset) : .obey
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .deviceRefused)
        #expect(error?.reason.contains(DeviceError.badLengthOrOffset.description) == true)
        #expect(error?.hint?.contains("reset") == true)
        #expect(device.nonces.count == 2)
        #expect(try bench.eventCount == 0)
    }

    @Test(arguments: DeviceError.allCases)
    func eachRefusalHasANextStep(_ refusal: DeviceError) throws {
        for command in [DeviceContract.Command.evidence, DeviceContract.Command.credential] {
            let bench = try Bench()
            let device = try SimulatedDevice()
            device.reaction = { $0.header.command == command ? .refuse(refusal) : .obey }
            let error = failure { _ = try bench.run(device) }
            #expect(error?.hint?.isEmpty == false, "\(error?.reason ?? "no error")")
            #expect(error?.reason.contains(refusal.description) == true, "\(error?.reason ?? "")")
        }
    }

    @Test(arguments: [-9, -65535, .min] as [Int64])
    func aKeyForAnotherAlgorithmThanItSignsWith(_ algorithm: Int64) throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        let key = try #require(device.keys[1])
        device.reaction = { request in
            guard request.isRead(DeviceContract.Command.key) else { return .obey }
            return .answer([
                "kid": 1, "alg": .int(algorithm), "pub": .bytes(key.publicKey), "imported": false,
            ])
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .keyMismatch)
        #expect(error?.reason.contains("ES256") == true)
        #expect(error?.hint?.contains("contradicts itself") == true)
        #expect(try bench.eventCount == 0)
    }

    @Test func evidenceThatContradictsItselfIsNotAboutTwoBoards() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.claims = { $0[256] = .bytes([1] + [UInt8](repeating: 0, count: 16)) }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .idMismatch)
        #expect(error?.hint?.contains("contradicts itself") == true)
    }

    enum Loss: CaseIterable { case request, answer }

    /// Each request of a run is lost once, or its answer is.
    @Test(arguments: Loss.allCases)
    func whatIsLostOnceIsRepeated(_ loss: Loss) throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.keys = [:]
        bench.plan.deadlines.answer = .milliseconds(160)
        bench.plan.deadlines.signature = .milliseconds(160)
        var isFirstTime: Set<[UInt8]> = []
        device.reaction = { request in
            let identity = [request.header.command] + CBORValue.map(request.payload).encoded()
            guard isFirstTime.insert(identity).inserted else { return .obey }
            return loss == .request ? .miss : .loseAnswer
        }
        let outcome = try bench.run(device)
        #expect(outcome.retries >= 8)
        #expect(device.keys.count == 1)
        #expect(outcome.registration.publicKey == device.keys[1]?.publicKey)
        #expect(try bench.registry.keys().records.count == 1)
        #expect(device.stored.count == 2)
    }

    /// A checksum of 16 bits lets some damage pass. On a line that is known to be bad, one thing that
    /// makes no sense is not the end; on a good line it is.
    @Test(arguments: [true, false])
    func nonsenseOnABadLineIsAskedForAgain(isLineBad: Bool) throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.deadlines.answer = .milliseconds(160)
        var isFirstKey = true
        var isFirstNonsense = true
        device.reaction = { request in
            guard isLineBad, request.isRead(DeviceContract.Command.key), isFirstKey else {
                return .obey
            }
            isFirstKey = false
            return .miss
        }
        device.claims = { claims in
            guard isFirstNonsense else { return }
            isFirstNonsense = false
            // The request's nonce, with one bit changed on its way.
            guard var nonce = claims[10]?.bytes else { return }
            nonce[0] ^= 1
            claims[10] = .bytes(nonce)
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == (isLineBad ? nil : .evidenceReplayed))
        #expect(try bench.registry.keys().records.count == (isLineBad ? 1 : 0))
        #expect(bench.log.remarks.contains { $0.contains("once more") } == isLineBad)
    }

    /// What is no accident fails again, and nothing is registered.
    @Test func nonsenseTwiceIsAnError() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        bench.plan.deadlines.answer = .milliseconds(160)
        device.evidence = { $0[$0.count - 1] ^= 1 }
        var isFirstKey = true
        device.reaction = { request in
            guard request.isRead(DeviceContract.Command.key), isFirstKey else { return .obey }
            isFirstKey = false
            return .miss
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .evidenceSignature)
        #expect(device.nonces.count == 2 && Set(device.nonces).count == 2)
        #expect(try bench.eventCount == 0)
    }

    @Test func aRefusalIsToldInTheContractsWords() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { request in
            request.isRead(DeviceContract.Command.evidence) ? .refuse(.noEntropy) : .obey
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .deviceRefused)
        #expect(error?.reason.contains(DeviceError.noEntropy.description) == true)
        #expect(try bench.eventCount == 0)
    }

    @Test(arguments: [
        DeviceError.locked, DeviceError.storageFull, DeviceError.hashMismatch,
        DeviceError.badLengthOrOffset,
    ])
    func aCredentialThatIsRefusedIsAFailedInstallation(_ refusal: DeviceError) throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { request in
            request.isWrite(DeviceContract.Command.credential) ? .refuse(refusal) : .obey
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .installFailed)
        #expect(error?.reason.contains(refusal.description) == true)
        #expect(try bench.key(device.thumbprint)?.state == .pending)
    }

    @Test func aDeviceThatDoesNotKnowTheContractRefuses() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { _ in .refuseStatus(SMPStatus.notSupported.rawValue) }
        #expect(failure { _ = try bench.run(device) }?.code == .deviceRefused)
    }

    @Test func anotherVersionOfTheContractIsNamed() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { _ in .answer(["v": 2]) }
        #expect(failure { _ = try bench.run(device) }?.code == .versionUnsupported)
    }

    @Test func anAnswerThatTheContractDoesNotKnowEndsTheRun() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { request in
            request.isRead(DeviceContract.Command.key) ? .answer(["kid": 2]) : .obey
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .protocolViolation)
        #expect(try bench.eventCount == 0)
    }

    @Test func aDeliveryThatDoesNotAdvanceIsAFailedInstallation() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { request in
            request.isWrite(DeviceContract.Command.credential) ? .answer(["off": 0]) : .obey
        }
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .installFailed)
        #expect(try bench.key(device.thumbprint)?.state == .pending)
    }

    /// It names what it was told, and stores something else. Its word is not taken by the next run either.
    @Test func whatADeviceNamesIsReadBack() throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        let slot = SimulatedDevice.Slot(keyID: 1, type: CredentialType.cwt.rawValue)
        var told = CBORMap()
        device.claims = { claims in
            // What it was given first, for ever.
            if told.pairs.isEmpty, device.stored[slot] != nil {
                told = claims[-65539]!.map!
                device.stored[slot]![0] ^= 1
            }
            if !told.pairs.isEmpty { claims[-65539] = .map(told) }
        }
        for _ in 0..<2 {
            let error = failure { _ = try bench.run(device) }
            #expect(error?.code == .credentialMismatch)
            #expect(error?.reason.contains("CWT") == true)
            #expect(try bench.key(device.thumbprint)?.state == .pending)
            device.restart()
        }
        device.claims = { _ in }
        try bench.run(device)
        #expect(try bench.key(device.thumbprint)?.state == .active)
        let reads = { device.requests.count { $0.isRead(DeviceContract.Command.credential) } }
        let before = reads()
        #expect(before > 0)
        try bench.run(device)
        #expect(reads() == before, "a confirmed device was read again")
    }

    /// However promptly it answers.
    @Test func aConversationEnds() throws {
        let bench = try Bench()
        bench.plan.deadlines.conversation = .zero
        let device = try SimulatedDevice()
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == .deviceSlow)
        #expect(device.requests.isEmpty)
    }

    @Test func anAuthorityThatCannotSignLeavesTheKeyPending() throws {
        final class NoAuthority: CredentialIssuer {
            func sign(_ plan: IssuancePlan) throws(ProvisioningError) -> [Credential] {
                throw ProvisioningError(.authorityUnavailable, "there is none")
            }

            let notBefore = NumericDate(seconds: 0)

            func keyDigest(for type: CredentialType) -> [UInt8] { [] }
        }
        let bench = try Bench()
        let device = try SimulatedDevice()
        let error = failure { _ = try bench.run(device, issuer: NoAuthority()) }
        #expect(error?.code == .authorityUnavailable)
        #expect(try bench.key(device.thumbprint)?.state == .pending)
        #expect(device.stored.isEmpty && device.isClosed)
        try bench.run(device)
        #expect(try bench.key(device.thumbprint)?.state == .active)
    }
}

/// Answers each datagram with a header that announces more than a host takes.
private final class OversizedServer: Channel {
    let name = "udp:[::1]:1337"
    let carriesDatagrams = true
    private(set) var requestCount = 0
    private(set) var isClosed = false
    private var isAsked = false

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        guard isAsked else {
            // As long as a line that is silent.
            Thread.sleep(forTimeInterval: min(Double(timeout.components.attoseconds) / 1e18, 0.1))
            return []
        }
        isAsked = false
        return [0x09, 0, 0xff, 0xff, 0, 0, 0, 0]
    }

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        requestCount += 1
        isAsked = true
    }

    func close() { isClosed = true }
}
