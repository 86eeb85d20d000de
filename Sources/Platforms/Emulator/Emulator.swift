public import Channels
import Foundation
public import Provisioning

/// The board on the desk that isn't there: firmware in QEMU or as a process of this machine, with a
/// serial port that others open, and memory that outlives it.
///
/// One process at a time runs an instance. The emulator ends with this object at the latest and, on
/// Linux, with this process, however that ends. Use it from one thread.
public final class Emulator {
    /// `"microbit-qemu-1"`: what the board's memory is kept under.
    public let instance: String
    /// The path of the board's serial port, a pseudo-terminal.
    public var uart: String { port.path }
    /// Nil: there is no probe for this emulator.
    public var probe: ProbeEndpoint? { machine?.probe }
    /// The ID in the board's factory page; nil where the firmware makes its own.
    public let deviceID: [UInt8]?
    public var processID: Int32 { child.processID }

    private let port: EmulatedUART
    private let machine: EmulatedMachine?
    private let child: ChildProcess
    /// Held until the end.
    private let folder: InstanceFolder
    private let interruption: Interruption
    private var isRunning = true

    /// How often the memory is kept while waiting, also of a firmware that says nothing.
    private static let saveInterval = Duration.seconds(5)

    /// Starts an emulated board. QEMU starts the firmware of the last run, if there was one; a blank board
    /// waits for the probe to flash it.
    ///
    /// - Parameters:
    ///   - image: the program to run, for platforms whose emulator is a process. QEMU is flashed through
    ///     the probe instead.
    ///   - erasing: whether the program forgets its keys and credentials first, but not its ID. A board
    ///     in QEMU is erased through the probe instead.
    ///   - stateDirectory: boards are kept in its folder `emulated`.
    ///   - instance: `[a-z0-9-]+`; nil is the platform's name and `-1`.
    ///   - beforeStart: gets the board's port, before the board runs.
    /// - Throws: `.usage` if the platform is real hardware, or needs an image; `.deviceBusy` if the
    ///   instance runs already; `.emulatorFailed` with the emulator's last lines; `.interrupted`.
    public static func start(
        _ platform: Platform, image: String? = nil, erasing: Bool = false, stateDirectory: String,
        instance: String? = nil, interruption: Interruption,
        beforeStart: (_ port: String) throws(ProvisioningError) -> Void = { _ in }
    ) throws(ProvisioningError) -> Emulator {
        guard let emulation = platform.emulation else {
            throw ProvisioningError(
                .usage, "\(platform.name) is real hardware",
                hint: "\"provision platforms\" shows which ones are emulated")
        }
        let folder = try InstanceFolder(
            instance: instance ?? instanceName(of: platform), stateDirectory: stateDirectory)
        let port = try EmulatedUART()
        // Before the board runs: it speaks at once, and its user must not come too late.
        folder.publish(platform, port: port.path)
        do {
            try port.start()
            try beforeStart(port.path)
            return try Emulator(
                emulation, platform.timeouts, image, erasing, folder, port, interruption)
        } catch {
            port.stop()
            throw error
        }
    }

    /// Of the board that is started where none is named.
    public static func instanceName(of platform: Platform) -> String { "\(platform.name)-1" }

    private init(
        _ emulation: Platform.Emulation, _ timeouts: Timeouts, _ image: String?, _ erasing: Bool,
        _ folder: InstanceFolder, _ port: EmulatedUART, _ interruption: Interruption
    ) throws(ProvisioningError) {
        self.folder = folder
        self.port = port
        self.interruption = interruption
        instance = folder.instance
        switch emulation {
        case .qemu(let configuration):
            let machine = try EmulatedMachine(
                configuration, timeouts, in: folder, uart: port, interruption: interruption)
            self.machine = machine
            child = machine.child
            deviceID = configuration.factoryPage == nil ? nil : try folder.deviceID()
        case .process(let template):
            guard let image else {
                throw ProvisioningError(
                    .usage, "\(instance) runs the firmware itself, but there is no image",
                    hint: "build it first, or name it with --firmware")
            }
            let ends = port.childEnds
            child = try ChildProcess(
                Command(
                    try template.filled(with: [.image: image]),
                    environment: [
                        "PROVISION_NATIVE_STATE": "\(folder.path)/device",
                        "PROVISION_NATIVE_ERASE": erasing ? "1" : nil,
                    ]),
                input: ends.inputOutput, output: ends.inputOutput, error: ends.error,
                failure: .emulatorFailed)
            port.closeChildEnds()
            machine = nil
            deviceID = nil
        }
    }

    deinit { try? stop() }

    /// Waits until the emulator ends by itself, keeping the board's memory now and then.
    ///
    /// - Throws: `.interrupted`, and the emulator goes on; `.emulatorFailed` with its last lines if it
    ///   failed.
    public func waitUntilExit() throws(ProvisioningError) {
        while true {
            if let ending = try child.wait(within: Self.saveInterval, interruption: interruption) {
                guard ending.isSuccess else { throw Self.failure(child.command, ending, port) }
                return
            }
            try save()
        }
    }

    /// What to say when the board does not answer because its emulator ended; nil while that runs.
    public var failure: ProvisioningError? {
        guard isRunning, let ending = child.currentEnding else { return nil }
        return Self.failure(child.command, ending, port)
    }

    /// Keeps the board's memory as it is now, while it runs, durably: what others have heard of the board is
    /// kept already, but only as long as this computer has power. Nothing where the firmware keeps its own.
    public func save() throws(ProvisioningError) {
        guard isRunning, child.currentEnding == nil else { return }
        try machine?.save()
    }

    /// Keeps the board's memory as it is now, for whoever is about to hear of it through the probe: only what
    /// leaves by the serial port is kept without being asked for.
    public func keep() throws(ProvisioningError) {
        guard isRunning, child.currentEnding == nil else { return }
        try machine?.keep()
    }

    /// Ends the board and keeps its memory. Idempotent.
    ///
    /// - Throws: `.emulatorFailed` if the memory could not be kept; the emulator has ended all the same.
    public func stop() throws(ProvisioningError) {
        guard isRunning else { return }
        isRunning = false
        defer {
            child.terminate()
            port.stop()
            folder.release()
        }
        try machine?.stop()
    }

    static func failure(
        _ command: Command, _ ending: ProcessEnding, _ port: EmulatedUART
    ) -> ProvisioningError {
        let lines = port.lastLines().map { "\n  \($0)" }.joined()
        return ProvisioningError(
            .emulatorFailed, "\(command.arguments.first ?? "") \(ending)\(lines)",
            hint: lines.contains(String(cString: strerror(ENOSPC)))
                ? "make room on the disk that the board's memory is kept on"
                : "is it firmware for this platform, with the device library in it?")
    }
}
