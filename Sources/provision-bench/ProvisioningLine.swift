import Authority
import COSE
import Channels
import Foundation
import Issuance
import Provisioning
import Registry

/// A host that provisions one device after the other, with one registry and one authority.
final class ProvisioningLine {
    private let registry: SQLiteRegistry
    private let authority: FileAuthority
    private let interruption: Interruption

    init(in folder: URL) throws {
        registry = try SQLiteRegistry(path: folder.appending(path: "registry.sqlite").path)
        authority = try FileAuthority.create(
            at: folder.appending(path: "authority").path, name: "Bench",
            now: Surroundings.system.now())
        interruption = try Interruption()
    }

    /// What one device cost, in seconds and bytes.
    struct Cost {
        /// From opening the port to having closed it.
        let wall: Double
        /// How much of `wall` the host waited for bytes of the device.
        let waiting: Double
        /// How much of `wall` the host computed.
        let processor: Double
        /// How much of `wall` the device computed; nil where the system does not tell.
        let deviceProcessor: Double?
        let bytesSent: Int
        let bytesReceived: Int

        var byteCount: Int { bytesSent + bytesReceived }
    }

    /// All that `provision enroll` does with a device, and no more.
    func provision(_ device: NativeDevice) throws -> Cost {
        var plan = ProvisioningPlan()
        plan.board = "native"
        plan.credentials = [.x509Chain, .cwt, .trustAnchors]
        var metered: MeteredChannel?
        var wall = 0.0
        let deviceStart = device.processorSeconds
        let processor = try Bench.processorSeconds {
            wall = try Bench.seconds {
                let outcome = try Provisioner(
                    plan: plan, flasher: nil, probe: nil,
                    openChannel: { [interruption] () throws(ProvisioningError) in
                        let channel = MeteredChannel(
                            try SerialPort(
                                path: device.port, baud: 115_200, interruption: interruption))
                        metered = channel
                        return channel
                    }, registry: registry, issuer: authority, surroundings: .system,
                    observer: SilentObserver()
                ).provision()
                outcome.channel.close()
                guard outcome.registration.record.isNew, outcome.delivery.sent.count == 3 else {
                    throw Failure("the device was not blank")
                }
            }
        }
        guard let metered else { throw Failure("no port was opened") }
        let deviceProcessor = deviceStart.flatMap { start in
            device.processorSeconds.map { $0 - start }
        }
        return Cost(
            wall: wall, waiting: metered.waiting / .seconds(1), processor: processor,
            deviceProcessor: deviceProcessor, bytesSent: metered.bytesSent,
            bytesReceived: metered.bytesReceived)
    }
}

/// Nobody looks on.
private final class SilentObserver: RunObserver {
    func began(_ step: Step) {}
    func progressed(_ step: Step, done: Int, of total: Int) {}
    func ended(_ step: Step, _ summary: String) {}
    func noted(_ remark: String) {}
    func logged(_ text: [UInt8]) {}
}
