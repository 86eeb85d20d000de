import Channels
import Provisioning
import Synchronization

/// The memory of a board in QEMU that outlives it, and its copy in the instance's folder.
///
/// Any thread may use it, and no other one uses the monitor's `save`.
final class BoardMemory: @unchecked Sendable {
    private let regions: [AddressRange]
    private let folder: InstanceFolder
    private let monitor: MachineMonitor
    /// Guards all below, and the drafts in the folder.
    private let lock = Mutex(())
    private var kept: [[UInt8]]?
    private var isDurable = false

    /// Readings of a memory that never rests: its firmware writes on and on.
    private static let maximumReadings = 50

    init(_ regions: [AddressRange], _ folder: InstanceFolder, _ monitor: MachineMonitor) {
        self.regions = regions
        self.folder = folder
        self.monitor = monitor
    }

    /// Keeps the memory as it is at one moment of this call: as if the board's power failed then.
    ///
    /// The processor runs on. QEMU reads one byte after the other, so what the firmware writes meanwhile
    /// could be found without what it wrote before. Two readings that agree are one state: memory that
    /// stands still, as flash does between two words of a record.
    ///
    /// - Parameter durably: also if this computer loses its power, not just its processes.
    func keep(durably: Bool) throws(ProvisioningError) {
        let failure: ProvisioningError? = lock.withLock { _ in
            do throws(ProvisioningError) {
                try update()
                if durably, !isDurable {
                    try folder.synchronise(regions)
                    isDurable = true
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// What is kept is all that stays.
    func removeDrafts() { lock.withLock { _ in folder.removeDrafts(of: regions) } }

    private func update() throws(ProvisioningError) {
        var reading = try read()
        // What is kept is a reading, too.
        guard reading != kept else { return }
        for _ in 1..<Self.maximumReadings {
            let next = try read()
            defer { reading = next }
            if next == reading { break }
        }
        for (index, region) in regions.enumerated() where kept?[index] != reading[index] {
            try folder.keepDraft(of: region)
        }
        kept = reading
        isDurable = false
    }

    private func read() throws(ProvisioningError) -> [[UInt8]] {
        var readings: [[UInt8]] = []
        for region in regions {
            readings.append(
                try folder.draft(region) { path throws(ProvisioningError) in
                    try monitor.save(region, to: path)
                })
        }
        return readings
    }
}
