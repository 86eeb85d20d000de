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
    var probe: ProbeEndpoint { .unix(path: debugger.path) }
    private let debugger: ListeningSocket
    private let monitor: MachineMonitor
    private let memory: BoardMemory
    private let uart: EmulatedUART

    /// How long QEMU may take to end. No time-out: it is killed then.
    private static let stopTimeout = Duration.seconds(2)
    /// How much longer QEMU may take for an answer than its board for its own start: it shares a computer.
    private static let slowness = 3
    /// A board that starts at once makes no computer fast.
    private static let leastTimeout = Duration.seconds(15)

    /// Starts QEMU and restores the memory.
    ///
    /// - Parameters:
    ///   - timeouts: of its platform.
    ///   - uart: its child ends become QEMU's standard input, output and error.
    init(
        _ configuration: Platform.Emulation.QEMU, _ timeouts: Timeouts, in folder: InstanceFolder,
        uart: EmulatedUART, interruption: Interruption
    ) throws(ProvisioningError) {
        self.uart = uart
        debugger = try ListeningSocket(path: folder.debuggerSocket, failure: .emulatorFailed)
        let command = Command(try configuration.command.filled(with: [:]) + Self.options)
        let control = try ControlSocket()
        child = try Self.start(command, uart, inheriting: [control.far, debugger.descriptor])
        debugger.release()
        // Never interrupted: saving the memory is part of what an interruption asks for.
        monitor = try Self.talk(child, uart) { () throws(ProvisioningError) in
            try MachineMonitor(
                channel: StreamChannel(
                    descriptor: control.takeNear(), name: "QEMU", interruption: Interruption()),
                answerTimeout: max(Self.leastTimeout, timeouts.boot * Self.slowness))
        }
        memory = BoardMemory(configuration.persistedRegions, folder, monitor)
        Self.wakeForInput(child, uart)
        try prepare(configuration, timeouts, folder, command, interruption)
        let memory = memory
        uart.commitBeforeSpeaking { (try? memory.keep(durably: false)) != nil }
        try monitor.resume()
    }

    /// QEMU's control socket is descriptor 3, the debugger's listens on 4: nothing of this machine's that
    /// would be left if this process and QEMU were killed, but the debugger's name.
    private static let options = [
        "-nodefaults", "-display", "none", "-monitor", "none", "-S",
        "-chardev", "stdio,id=uart0,signal=off", "-serial", "chardev:uart0",
        "-chardev", "socket,id=control,fd=3", "-mon", "chardev=control,mode=control",
        "-chardev", "socket,id=debugger,fd=4,server=on,wait=off", "-gdb", "chardev:debugger",
    ]

    private static func start(
        _ command: Command, _ uart: EmulatedUART, inheriting inherited: [Int32]
    ) throws(ProvisioningError) -> ChildProcess {
        let ends = uart.childEnds
        do {
            let child = try ChildProcess(
                command, input: ends.inputOutput, output: ends.inputOutput, error: ends.error,
                inheriting: inherited, failure: .emulatorFailed)
            uart.closeChildEnds()
            return child
        } catch {
            throw ProvisioningError(
                error.code, error.reason,
                hint: "install it: apt-get install qemu-system-\(command.isForArm ? "arm" : "misc")"
            )
        }
    }

    /// Does what needs QEMU; where QEMU ends in the middle of it, its own words say more.
    private static func talk<Result>(
        _ child: ChildProcess, _ uart: EmulatedUART,
        _ body: () throws(ProvisioningError) -> Result
    ) throws(ProvisioningError) -> Result {
        do {
            return try body()
        } catch {
            guard [.channelClosed, .channelUnavailable, .probeUnavailable].contains(error.code),
                let ending = try child.wait(within: stopTimeout, interruption: nil)
            else { throw error }
            throw Emulator.failure(child.command, ending, uart)
        }
    }

    /// Memory and processor as they were when the board was last switched off.
    private func prepare(
        _ configuration: Platform.Emulation.QEMU, _ timeouts: Timeouts, _ folder: InstanceFolder,
        _ command: Command, _ interruption: Interruption
    ) throws(ProvisioningError) {
        let path = debugger.path
        try Self.talk(child, uart) { () throws(ProvisioningError) in
            let channel = try StreamChannel.connect(unix: path, interruption: interruption)
            let debugger = try GDBRemote(
                channel: channel, replyTimeout: timeouts[.probe])
            try withExtendedLifetime(debugger) { () throws(ProvisioningError) in
                // Hung up, not detached from: detaching would let the processor run.
                defer { channel.close() }
                try Self.restore(configuration, folder, debugger)
                if command.isForArm { try Self.fillVectorTable(debugger) }
                // The processor took its first values from blank memory, when it was made.
                try debugger.reset(with: "system_reset")
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

    /// Keeps the memory as it is at this moment, also if this computer loses its power.
    func save() throws(ProvisioningError) { try memory.keep(durably: true) }

    /// The same, as long as this computer has power.
    func keep() throws(ProvisioningError) { try memory.keep(durably: false) }

    /// Stops the processor, keeps the memory, ends QEMU. Nothing but cleaning up if QEMU has ended.
    func stop() throws(ProvisioningError) {
        defer {
            child.terminate()
            memory.removeDrafts()
            debugger.remove()
        }
        guard child.currentEnding == nil else { return }
        try Self.talk(child, uart) { () throws(ProvisioningError) in
            try monitor.pause()
            try save()
            try monitor.quit()
        }
        _ = try child.wait(within: Self.stopTimeout, interruption: nil)
    }
}

/// A pair of connected sockets, the far one for a child.
private final class ControlSocket {
    private(set) var far: Int32
    private var near: Int32

    init() throws(ProvisioningError) {
        var sockets: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, streamSocket, 0, &sockets) == 0 else {
            throw ProvisioningError(
                .emulatorFailed, "no control socket: \(String(cString: strerror(errno)))",
                hint: "end programs that have many files open")
        }
        for descriptor in sockets { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        (near, far) = (sockets[0], sockets[1])
    }

    deinit { for descriptor in [near, far] where descriptor >= 0 { close(descriptor) } }

    /// The caller's from now on. The far one is the child's alone, so that its end is told.
    func takeNear() -> Int32 {
        close(far)
        far = -1
        defer { near = -1 }
        return near
    }
}

extension Command {
    fileprivate var isForArm: Bool { arguments.first?.hasSuffix("qemu-system-arm") == true }
}
