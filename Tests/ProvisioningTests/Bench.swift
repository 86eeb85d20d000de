import Attestation
import Authority
import COSE
import Foundation
import Issuance
import OpenSSL
import Provisioning
import Registry
import ProvisioningTesting
import Synchronization

/// A desk in a folder of its own: a real registry, a real authority, a clock that stands still.
final class Bench {
    let folder: String
    let registry: SQLiteRegistry
    let authority: FileAuthority
    let log = RunLog()
    var now = NumericDate(seconds: 1_795_000_000)
    var plan = ProvisioningPlan()
    var flasher: TestFlasher?
    var probe: TestProbe?

    init() throws {
        folder = NSTemporaryDirectory() + "provisioning-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        registry = try SQLiteRegistry(path: folder + "/registry.sqlite")
        authority = try FileAuthority.create(at: folder + "/authority", name: "Test", now: now)
        plan.deadlines.answer = .seconds(2)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Another process's view of the registry: it sees only what is committed.
    func secondView() throws(ProvisioningError) -> SQLiteRegistry {
        try SQLiteRegistry(path: folder + "/registry.sqlite")
    }

    @discardableResult
    func run(
        _ device: any Channel, issuer: (any CredentialIssuer)? = nil
    ) throws(ProvisioningError) -> Outcome {
        let now = now
        return try Provisioner(
            plan: plan, flasher: flasher, probe: probe,
            openChannel: { () throws(ProvisioningError) in device }, registry: registry,
            issuer: issuer ?? authority,
            surroundings: Surroundings(
                now: { now },
                randomBytes: { (count) throws(ProvisioningError) in
                    (0..<count).map { _ in UInt8.random(in: .min ... .max) }
                }),
            observer: log
        ).provision()
    }

    /// Flashing is a reason to believe the device's ID.
    func flashing(erasing: Bool = false, _ onFlash: @escaping () throws -> Void = {}) {
        plan.image = FirmwareImage(path: "/image.elf")
        plan.erases = erasing
        flasher = TestFlasher(onFlash: onFlash)
    }

    func key(_ thumbprint: [UInt8]) throws -> KeyRecord? { try registry.key(thumbprint) }

    var eventCount: Int64 {
        get throws { try registry.statistics().head.sequenceNumber }
    }

    var isIntact: Bool {
        get throws { try registry.verify().isIntact }
    }
}

/// What the run said, in order.
final class RunLog: RunObserver {
    private(set) var steps: [Step] = []
    private(set) var summaries: [Step: String] = [:]
    private(set) var remarks: [String] = []
    private(set) var text: [UInt8] = []

    func began(_ step: Step) { steps.append(step) }
    func progressed(_ step: Step, done: Int, of total: Int) {}
    func ended(_ step: Step, _ summary: String) { summaries[step] = summary }
    func noted(_ remark: String) { remarks.append(remark) }
    func logged(_ text: [UInt8]) { self.text += text }
}

final class TestFlasher: Flasher {
    static let digest = SHA256.hash(Array("image".utf8))
    private(set) var erasures: [Bool] = []
    private let onFlash: () throws -> Void

    init(onFlash: @escaping () throws -> Void) { self.onFlash = onFlash }

    func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        erasures.append(erasing)
        do {
            try onFlash()
        } catch {
            throw (error as? ProvisioningError) ?? ProvisioningError(.flashFailed, "\(error)")
        }
        return FlashReceipt(digest: Self.digest, byteCount: 5, isVerified: true)
    }

    func check(_ image: FirmwareImage?, is receipt: FlashReceipt) {}
}

struct TestProbe: DeviceIDReader {
    let id: DeviceID

    func readDeviceID() throws(ProvisioningError) -> DeviceID { id }
}

/// Signs with the authority and remembers what for.
final class RecordingIssuer: CredentialIssuer {
    private let authority: FileAuthority
    private let recorded = Mutex<[IssuancePlan]>([])

    var plans: [IssuancePlan] { recorded.withLock { $0 } }

    init(_ authority: FileAuthority) { self.authority = authority }

    func sign(_ plan: IssuancePlan) throws(ProvisioningError) -> [Credential] {
        recorded.withLock { $0.append(plan) }
        return try authority.sign(plan)
    }

    var notBefore: NumericDate { authority.notBefore }

    func keyDigest(for type: CredentialType) -> [UInt8] { authority.keyDigest(for: type) }
}

/// The error that `body` must throw.
func failure(_ body: () throws -> Void) -> ProvisioningError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ProvisioningError
    }
}
