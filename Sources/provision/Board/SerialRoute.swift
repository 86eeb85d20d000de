import Channels
import Foundation
import Platforms
import Provisioning

/// A serial port: the user's, the only one that is attached, or an emulated board's.
final class SerialRoute: ChannelRoute {
    private let platform: Platform
    private let connection: ConnectionOptions
    private let emulatedPort: () -> String?
    private let listPorts: () -> [SerialPortDescription]
    private let isGreeted: () -> Bool
    private let interruption: Interruption
    /// Nil until it is looked for, and where only its path is known.
    private var chosenPort: ChosenPort?
    /// The port that was opened last.
    private var portPath: String?

    /// - Parameters:
    ///   - emulatedPort: of the emulated board that this run started.
    ///   - listPorts: the serial ports of this moment.
    ///   - isGreeted: whether the device has answered yet.
    init(
        _ platform: Platform, _ connection: ConnectionOptions, interruption: Interruption,
        emulatedPort: @escaping () -> String?,
        listPorts: @escaping () -> [SerialPortDescription], isGreeted: @escaping () -> Bool
    ) {
        self.platform = platform
        self.connection = connection
        self.interruption = interruption
        self.emulatedPort = emulatedPort
        self.listPorts = listPorts
        self.isGreeted = isGreeted
    }

    /// A port that isn't there may come with the new firmware.
    func check() throws(ProvisioningError) {
        try checkThatPortIsNamed()
        if let named = connection.port {
            chosenPort = ChosenPort(named: named, among: listPorts())
        } else if platform.emulation == nil {
            chosenPort = try ChosenPort(among: listPorts())
        }
        guard let path = connection.port ?? chosenPort?.path,
            access(path, F_OK) == 0 || errno != ENOENT
        else { return }
        try port(at: path).close()
    }

    /// A board that is its own USB device leaves with its old firmware and comes back with the new one.
    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        let end = ContinuousClock.now + platform.timeouts.boot
        var wasMissing = false
        while true {
            do {
                let path = try currentPort()
                portPath = path
                return try port(at: path)
            } catch {
                if let path = connection.port, access(path, F_OK) != 0 { wasMissing = true }
                guard isFlashed, wasMissing || chosenPort != nil, error.code == .channelUnavailable,
                    ContinuousClock.now < end
                else { throw error }
                try interruption.pause(for: .milliseconds(100))
            }
        }
    }

    /// With the program that reads the same port, if that may be why the board did not answer.
    func explained(_ error: ProvisioningError, isFlashed: Bool) -> ProvisioningError {
        let codes: [ErrorCode] = [
            .deviceSilent, .noAnswer, .reportMissing, .protocolViolation, .answerUnrelated,
        ]
        guard codes.contains(error.code), let portPath else { return error }
        guard let other = PortHolder.findEavesdropper(portPath) else {
            guard isFlashed, error.code == .deviceSilent, !isGreeted() else { return error }
            return ProvisioningError(
                error.code, error.reason,
                hint:
                    "is the image made for the board \(platform.board), with the device library in "
                    + "it? and is this the board's port and baud rate?")
        }
        return ProvisioningError(
            error.code, "\(error.reason); \(other) has \(portPath) open too",
            hint: "close it, for it may take what is meant for this program, and try again")
    }

    /// A probe that the user named is another process's emulated board's, and only that one knows its port.
    private func checkThatPortIsNamed() throws(ProvisioningError) {
        guard case .qemu = platform.emulation, connection.port == nil,
            let probe = connection.probe
        else { return }
        throw ProvisioningError(
            .usage, "--probe \(probe) is a running board's, and its serial port is not named",
            hint: "add --port with what provision emulate printed; or leave --probe away to start "
                + "a board for this run")
    }

    private func currentPort() throws(ProvisioningError) -> String {
        if let chosenPort { return try chosenPort.current(among: listPorts()) }
        if let path = connection.port ?? emulatedPort() { return path }
        try checkThatPortIsNamed()
        guard platform.emulation == nil else {
            throw ProvisioningError(
                .channelUnavailable, "no board of \(platform.name) is running here",
                hint: "start one: \(emulateCommand); then name its port with --port")
        }
        let ports = listPorts()
        return try ChosenPort(among: ports).current(among: ports)
    }

    private func port(at path: String) throws(ProvisioningError) -> SerialPort {
        let baud = connection.baud ?? platform.channel.baudRates[0]
        return try SerialPort(path: path, baud: UInt32(baud), interruption: interruption)
    }

    private var emulateCommand: String {
        guard case .process = platform.emulation else {
            return "provision emulate \(platform.name)"
        }
        return "provision emulate \(platform.name) --firmware FILE"
    }
}
