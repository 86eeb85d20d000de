import Channels
import Foundation
import Provisioning

/// A QEMU process that plays a microcontroller board, its memory restored from the instance's folder before
/// the processor runs.
///
/// Memory is written through the debugger, once, before the processor runs. QEMU's own `-device loader`
/// would write it again at every reset, and the board would lose what it stored meanwhile.
final class EmulatedMachine {
    let child: ChildProcess
    let probe: ProbeEndpoint
    private let configuration: Platform.Emulation.QEMU
    private let folder: InstanceFolder
    private let sockets: SocketFolder
    private let monitor: MachineMonitor
    private let uart: EmulatedUART

    private static let startTimeout = Duration.seconds(5)
    private static let stopTimeout = Duration.seconds(2)

    /// Starts QEMU and restores the memory.
    ///
    /// - Parameter uart: its child ends become QEMU's standard input, output and error.
    init(
        _ configuration: Platform.Emulation.QEMU, in folder: InstanceFolder, uart: EmulatedUART,
        interruption: Interruption
    ) throws(ProvisioningError) {
        self.configuration = configuration
        self.folder = folder
        self.uart = uart
        sockets = try SocketFolder()
        probe = .unix(path: sockets.debugger)
        let command = Command(
            try configuration.command.filled(with: [:]) + Self.options(sockets))
        child = try Self.start(command, uart)
        // Never interrupted: saving the memory is part of what an interruption asks for.
        monitor = try MachineMonitor(
            channel: Self.connect(to: sockets.monitor, child, uart, Interruption()))
        Self.wakeForInput(child, uart)
        let channel = try Self.connect(to: sockets.debugger, child, uart, interruption)
        let debugger = try GDBRemote(channel: channel)
        try withExtendedLifetime(debugger) { () throws(ProvisioningError) in
            // Hung up, not detached from: detaching would let the processor run.
            defer { channel.close() }
            try Self.restore(configuration, folder, debugger)
            if command.isForArm { try Self.fillVectorTable(debugger) }
            // The processor took its first values from blank memory, when it was made.
            try debugger.reset(with: "system_reset")
        }
        try monitor.resume()
    }

    private static func options(_ sockets: SocketFolder) -> [String] {
        [
            "-nodefaults", "-display", "none", "-monitor", "none", "-S",
            "-chardev", "stdio,id=uart0,signal=off", "-serial", "chardev:uart0",
            "-gdb", "unix:\(sockets.debugger),server=on,wait=off",
            "-qmp", "unix:\(sockets.monitor),server=on,wait=off",
        ]
    }

    private static func start(
        _ command: Command, _ uart: EmulatedUART
    ) throws(ProvisioningError) -> ChildProcess {
        let ends = uart.childEnds
        do {
            let child = try ChildProcess(
                command, input: ends.inputOutput, output: ends.inputOutput, error: ends.error,
                failure: .emulatorFailed)
            uart.closeChildEnds()
            return child
        } catch {
            throw ProvisioningError(
                error.code, error.reason,
                hint: "install it: apt-get install qemu-system-\(command.isForArm ? "arm" : "misc")"
            )
        }
    }

    /// Connects to a socket that QEMU is about to make, as long as QEMU runs.
    private static func connect(
        to path: String, _ child: ChildProcess, _ uart: EmulatedUART, _ interruption: Interruption
    ) throws(ProvisioningError) -> StreamChannel {
        let deadline = ContinuousClock.now.advanced(by: startTimeout)
        while true {
            do {
                return try StreamChannel.connect(
                    unix: path, within: .milliseconds(200), untilListening: true,
                    interruption: interruption)
            } catch {
                guard error.code == .channelUnavailable else { throw error }
                if let ending = child.currentEnding {
                    throw Emulator.failure(child.command, ending, uart)
                }
                guard ContinuousClock.now < deadline else {
                    throw ProvisioningError(
                        .emulatorFailed, "QEMU did not start in 5 s: \(error.reason)")
                }
            }
        }
    }

    /// QEMU's main loop asks the UART whether it takes input only when something else wakes the loop, and
    /// some UARTs, as nRF51's, do not wake it when firmware enables them. SIGIO, which QEMU takes from a
    /// signalfd and has no use for, does.
    private static func wakeForInput(_ child: ChildProcess, _ uart: EmulatedUART) {
        uart.whenUnread { [weak child] in
            guard let child, child.currentEnding == nil else { return }
            kill(child.processID, SIGIO)
        }
    }

    private static func restore(
        _ configuration: Platform.Emulation.QEMU, _ folder: InstanceFolder, _ debugger: GDBRemote
    ) throws(ProvisioningError) {
        for region in configuration.persistedRegions {
            guard let bytes = try folder.memory(of: region) else { continue }
            try debugger.writeMemory(at: region.address, bytes)
        }
        if let page = configuration.factoryPage {
            try debugger.writeMemory(at: page, FactoryPage.bytes(id: folder.deviceID()))
        }
        if let page = configuration.seedPage {
            try debugger.writeMemory(
                at: page.address, (0..<page.length).map { _ in UInt8.random(in: 0...255) })
        }
    }

    /// Gives a blank Cortex-M something to run until it is flashed: without, it locks up as soon as a
    /// debugger lets go of it, and QEMU ends. Armv7-M Architecture Reference Manual §B1.5.3: the stack
    /// pointer, then the Thumb address to start at.
    private static func fillVectorTable(_ debugger: GDBRemote) throws(ProvisioningError) {
        let table = try debugger.readMemory(at: 0, count: 8)
        guard table.allSatisfy({ $0 == 0 }) || table.allSatisfy({ $0 == 0xFF }) else { return }
        let branchToItself: [UInt8] = [0xFE, 0xE7]
        try debugger.writeMemory(at: 0, [0, 4, 0, 0x20, 9, 0, 0, 0] + branchToItself)
    }

    /// Keeps the memory as it is at this moment.
    func save() throws(ProvisioningError) {
        let monitor = monitor
        try folder.keep(configuration.persistedRegions) { region, path throws(ProvisioningError) in
            try monitor.save(region, to: path)
        }
    }

    /// Stops the processor, keeps the memory, ends QEMU. Nothing if QEMU has ended.
    func stop() throws(ProvisioningError) {
        guard child.currentEnding == nil else { return }
        defer { child.terminate() }
        do {
            try monitor.pause()
            try save()
            try monitor.quit()
        } catch {
            // Gone in the middle of it: its own words say more.
            if error.code == .channelClosed,
                let ending = try child.wait(within: Self.stopTimeout, interruption: nil)
            {
                throw Emulator.failure(child.command, ending, uart)
            }
            throw error
        }
        _ = try child.wait(within: Self.stopTimeout, interruption: nil)
    }
}

/// Where QEMU listens: in a folder that only this user can enter, whose path is short enough for a
/// socket's name (108 bytes on Linux), unlike an instance's folder. Gone with this object.
private final class SocketFolder {
    let path: String
    var debugger: String { "\(path)/gdb" }
    var monitor: String { "\(path)/qmp" }

    init() throws(ProvisioningError) {
        var template = Array("/tmp/provision-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw ProvisioningError(
                .emulatorFailed, "no folder in /tmp: \(String(cString: strerror(errno)))",
                hint: "make room in /tmp, and let this user write there")
        }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension Command {
    fileprivate var isForArm: Bool { arguments.first?.hasSuffix("qemu-system-arm") == true }
}
