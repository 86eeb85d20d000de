import Authority
import Channels
import Foundation
import Provisioning
import ProvisioningTesting
import Registry

/// A run with a registry and an authority that nobody needs afterwards.
struct SimulatedRun {
    let registry: SQLiteRegistry
    let authority: FileAuthority
    let observer = SilentObserver()

    /// - Parameter folder: for both; it is removed by whoever made it.
    init(in folder: URL) throws {
        registry = try SQLiteRegistry(path: folder.path + "/registry.sqlite")
        authority = try FileAuthority.openOrCreate(
            at: folder.path + "/authority", name: "Provision check",
            now: Surroundings.system.now()
        ).0
    }

    /// A device that is soon there. What is between takes longer on a computer that has other work.
    static var plan: ProvisioningPlan {
        var plan = ProvisioningPlan()
        plan.deadlines.answer = .seconds(5)
        plan.deadlines.conversation = .seconds(60)
        return plan
    }

    func provision(
        _ plan: ProvisioningPlan, flasher: (any Flasher)? = nil,
        probe: (any DeviceIDReader)? = nil,
        openChannel: @escaping () throws(ProvisioningError) -> any Channel
    ) throws(ProvisioningError) -> Outcome {
        try Provisioner(
            plan: plan, flasher: flasher, probe: probe, openChannel: openChannel,
            registry: registry, issuer: authority, surroundings: .system, observer: observer
        ).provision()
    }
}

/// Nobody watches.
final class SilentObserver: RunObserver {
    func began(_ step: Step) {}
    func progressed(_ step: Step, done: Int, of total: Int) {}
    func ended(_ step: Step, _ summary: String) {}
    func noted(_ remark: String) {}
    func logged(_ text: [UInt8]) {}
}
