import Attestation
import CBOR
import COSE
import OpenSSL
import Provisioning
import Registry
import SMP
import ProvisioningTesting
import Testing

/// Evidence that is not believed changes nothing: neither the registry nor the device.
struct RefusedEvidenceTests {
    struct Lie: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: ErrorCode
        let tell: @Sendable (SimulatedDevice) throws -> Void

        init(
            _ name: String, _ code: ErrorCode,
            _ tell: @escaping @Sendable (SimulatedDevice) throws -> Void
        ) {
            testDescription = name
            self.code = code
            self.tell = tell
        }
    }

    static let lies = [
        Lie("another key signs", .evidenceSignature) { $0.signer = try SigningKey.generate() },
        Lie("a changed byte", .evidenceSignature) { $0.evidence = { $0[$0.count - 1] ^= 1 } },
        Lie("no evidence at all", .evidenceMalformed) { $0.evidence = { $0 = [0xa0] } },
        Lie("an old nonce", .evidenceReplayed) {
            $0.claims = { $0[10] = .bytes([UInt8](repeating: 7, count: 32)) }
        },
        Lie("another profile", .evidenceProfile) { $0.claims = { $0[265] = "tag:other" } },
        Lie("a point off the curve", .keyInvalid) {
            $0.claims = { claims in
                var key = claims[8]!.map![1]!.map!
                key[-2] = .bytes([UInt8](repeating: 0xff, count: 32))
                claims[8] = .map([1: .map(key)])
            }
        },
        Lie("another key than it announced", .keyMismatch) { device in
            let other = try SigningKey.generate()
            device.signer = other
            device.claims = { $0[8] = .map([1: COSEKey(p256: other.publicKey)!.cbor]) }
        },
        Lie("another id", .idMismatch) { device in
            let other = DeviceIdentity(
                board: device.identity.board, id: DeviceID(hexadecimal: "77b0000000000001")!)
            device.claims = {
                $0[-65537] = .bytes(other.id.bytes)
                $0[256] = .bytes(UEID.derive(other))
            }
        },
        Lie("another board", .idMismatch) { device in
            let other = DeviceIdentity(board: "otherboard", id: device.identity.id)
            device.claims = {
                $0[-65538] = .text(other.board)
                $0[256] = .bytes(UEID.derive(other))
            }
        },
        Lie("a ueid of another device", .idMismatch) {
            $0.claims = { $0[256] = .bytes([UInt8](repeating: 1, count: 17)) }
        },
    ]

    @Test(arguments: lies)
    func nothingChanges(_ lie: Lie) throws {
        let bench = try Bench()
        let honest = try SimulatedDevice()
        try bench.run(honest)
        let events = try bench.eventCount

        let device = try SimulatedDevice()
        try lie.tell(device)
        // Every ground there is: none of them makes up for bad evidence.
        bench.flashing()
        bench.plan.replacesKey = true
        bench.probe = TestProbe(id: device.identity.id)
        let error = failure { _ = try bench.run(device) }
        #expect(error?.code == lie.code)
        #expect(error?.hint?.isEmpty == false)
        #expect(try bench.eventCount == events)
        #expect(try bench.key(honest.thumbprint)?.state == .active)
        #expect(device.stored.isEmpty && device.isClosed)
        #expect(!device.requests.contains { $0.header.operation == .write })
        #expect(bench.log.steps.last == .appraise)
    }

    /// The second evidence, and what must be true of it.
    static let brokenPromises = [
        Lie("another key signs", .confirmFailed) { $0.signer = try SigningKey.generate() },
        Lie("the first nonce", .confirmFailed) { device in
            let first = device.nonces[0]
            device.claims = { $0[10] = .bytes(first) }
        },
        Lie("not what it was given", .credentialMismatch) {
            $0.claims = { $0[-65539] = .map([1: .bytes([UInt8](repeating: 9, count: 32))]) }
        },
        Lie("no evidence at all", .confirmFailed) { $0.evidence = { $0 = [0xa0] } },
    ]

    @Test(arguments: brokenPromises)
    func theKeyStaysPending(_ lie: Lie) throws {
        let bench = try Bench()
        let device = try SimulatedDevice()
        device.reaction = { (request) throws(ProvisioningError) in
            // The first evidence is good.
            guard request.payload["nonce"] != nil, device.nonces.count == 1 else { return .obey }
            do {
                try lie.tell(device)
            } catch {
                return .fail(.internalFailure)
            }
            return .obey
        }
        #expect(failure { _ = try bench.run(device) }?.code == lie.code)
        #expect(try bench.key(device.thumbprint)?.state == .pending)
        #expect(device.isClosed)

        device.claims = { _ in }
        device.evidence = { _ in }
        device.signer = nil
        device.restart()
        try bench.run(device)
        #expect(try bench.key(device.thumbprint)?.state == .active)
    }
}
