import Attestation
import Authority
import COSE
import DeviceProvisioning
import DeviceTestHAL
import Foundation
import Issuance
import OpenSSL
import Provisioning
import Registry
import Synchronization
import Testing

/// The whole flow on the board in memory: a real registry and authority, the device library itself, and
/// a power supply that fails.
final class Desk {
    private let folder: String
    let registry: SQLiteRegistry
    let issuer: RememberingIssuer
    var plan = ProvisioningPlan()
    /// What happens to the board when it is flashed; nil: it is not.
    var onFlash: (() -> Void)?

    init() throws {
        folder = NSTemporaryDirectory() + "desk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        registry = try SQLiteRegistry(path: folder + "/registry.sqlite")
        issuer = RememberingIssuer(
            try FileAuthority.create(at: folder + "/authority", name: "Test", now: Self.now))
        plan.credentials = [.x509Chain, .cwt, .trustAnchors]
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static let now = NumericDate(seconds: 1_795_000_000)

    @discardableResult
    func run() throws(ProvisioningError) -> Outcome {
        let flasher = onFlash.map(BoardFlasher.init)
        var plan = plan
        plan.image = flasher == nil ? nil : FirmwareImage(path: "/image.elf")
        let now = Self.now
        return try Provisioner(
            plan: plan, flasher: flasher, probe: nil,
            openChannel: { () throws(ProvisioningError) in PoweredChannel() }, registry: registry,
            issuer: issuer,
            surroundings: Surroundings(
                now: { now },
                randomBytes: { (count) throws(ProvisioningError) in
                    (0..<count).map { _ in UInt8.random(in: .min ... .max) }
                }),
            observer: SilentObserver()
        ).provision()
    }
}

/// The board's serial line, which is dead from the moment when its power fails.
private final class PoweredChannel: Channel {
    let name = "board in memory"
    private var output: [UInt8] = []

    func write(_ bytes: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        for byte in bytes {
            dp_receive(byte)
            var length = 0
            let sent = test_output_take(&length)
            // What a device says after its power failed, it does not say.
            if test_flash_was_cut() { throw ProvisioningError(.channelClosed, "no power") }
            output += UnsafeBufferPointer(start: sent, count: length)
        }
    }

    func read(atMost limit: Int, within timeout: Duration) throws(ProvisioningError) -> [UInt8] {
        if test_flash_was_cut() { throw ProvisioningError(.channelClosed, "no power") }
        // The device answers at once, or never.
        guard !output.isEmpty else { throw ProvisioningError(.channelClosed, "silence") }
        defer { output.removeFirst(min(limit, output.count)) }
        return Array(output.prefix(limit))
    }

    func close() {}
}

private struct BoardFlasher: Flasher {
    let onFlash: () -> Void

    func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        onFlash()
        return FlashReceipt(digest: sha256(Array("image".utf8)), byteCount: 5, isVerified: true)
    }

    func check(_ image: FirmwareImage?, is receipt: FlashReceipt) {}
}

/// Signs with the authority and remembers the credentials.
final class RememberingIssuer: CredentialIssuer {
    private let authority: FileAuthority
    private let signed = Mutex<Set<[UInt8]>>([])

    init(_ authority: FileAuthority) { self.authority = authority }

    func sign(_ plan: IssuancePlan) throws(ProvisioningError) -> [Credential] {
        let credentials = try authority.sign(plan)
        signed.withLock { $0.formUnion(credentials.map(\.bytes)) }
        return credentials
    }

    var notBefore: NumericDate { authority.notBefore }

    func keyDigest(for type: CredentialType) -> [UInt8] { authority.keyDigest(for: type) }

    /// What was signed since the last call.
    func takeSigned() -> Set<[UInt8]> {
        signed.withLock { signed in
            defer { signed = [] }
            return signed
        }
    }
}

private final class SilentObserver: RunObserver {
    func began(_ step: Step) {}
    func progressed(_ step: Step, done: Int, of total: Int) {}
    func ended(_ step: Step, _ summary: String) {}
    func noted(_ remark: String) {}
    func logged(_ text: [UInt8]) {}
}

/// A key that the host may give to a device, as the contract allows.
struct ImportableKey {
    let scalar: [UInt8]
    let publicKey: [UInt8]

    init() throws {
        let key = try SigningKey.generate()
        publicKey = key.publicKey
        let pem = try key.pem().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let lines = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }
        let document = try #require(Data(base64Encoded: lines.joined()))
        // ECPrivateKey, RFC 5915: version 1, then 32 octets.
        let start = try #require(document.firstRange(of: [0x02, 0x01, 0x01, 0x04, 0x20]))
        scalar = Array(document[start.upperBound...].prefix(32))
    }
}
