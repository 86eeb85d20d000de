import Channels
import Foundation
import Platforms
import Provisioning

/// A serial port: the user's, the only one that is attached, or an emulated board's.
final class SerialRoute: ChannelRoute {
    private let platform: Platform
    private let connection: Connection
    private let emulatedPort: () -> String?
    private let listPorts: () -> [SerialPortDescription]
    private let isGreeted: () -> Bool
    private let interruption: Interruption
    private let reporter: ProgressReporter
    /// Whether the device may be asked where it answers; else the first of several rates is taken.
    var asksForRate = true
    /// How long a line has to be silent before nothing more comes of what was said, and how long that is waited for.
    /// No time-outs: nothing fails when they are over.
    private static let silence = Duration.milliseconds(20)
    private static let settlingTime = Duration.milliseconds(200)
    /// Nil until it is looked for, and where only its path is known.
    private var chosenPort: ChosenPort?
    /// Open since before the device started.
    private var listening: SerialPort?
    /// The port that was opened last.
    private var portPath: String?

    /// - Parameters:
    ///   - emulatedPort: of the emulated board that this run started.
    ///   - listPorts: the serial ports of this moment.
    ///   - isGreeted: whether the device has answered yet.
    init(
        _ platform: Platform, _ connection: Connection, interruption: Interruption,
        emulatedPort: @escaping () -> String?,
        listPorts: @escaping () -> [SerialPortDescription], isGreeted: @escaping () -> Bool,
        reporter: ProgressReporter
    ) {
        self.reporter = reporter
        self.platform = platform
        self.connection = connection
        self.interruption = interruption
        self.emulatedPort = emulatedPort
        self.listPorts = listPorts
        self.isGreeted = isGreeted
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        try checkThatPortIsNamed()
        if let path = connection.port {
            guard !isFlashing || access(path, F_OK) == 0 else { return }
            return try SerialPort.checkPresence(path: path)
        }
        // A board that this run starts has none yet.
        if case .qemu = platform.emulation { return }
        guard isFlashing else { return _ = try currentPort() }
        _ = try choose()
    }

    /// A port that isn't there may come with the new firmware.
    func check() throws(ProvisioningError) {
        guard let path = try choose(), access(path, F_OK) == 0 || errno != ENOENT else { return }
        try port(at: path).close()
    }

    /// Which port it is, while no other has taken its name.
    private func choose() throws(ProvisioningError) -> String? {
        try checkThatPortIsNamed()
        if let named = connection.serialPort {
            chosenPort = ChosenPort(named: named, among: listPorts())
        } else if platform.emulation == nil {
            chosenPort = try ChosenPort(among: listPorts())
        }
        return connection.serialPort ?? chosenPort?.path
    }

    /// The port of the board as it is now.
    ///
    /// - Throws: `.channelUnavailable` if there is none.
    func choosePort() throws(ProvisioningError) -> String {
        if let path = try choose() { return path }
        return try currentPort()
    }

    func listen(at port: String?) throws(ProvisioningError) {
        do {
            let path = if let port { port } else { try currentPort() }
            let opened = try self.port(at: path)
            portPath = path
            // What was said before may still be on its way; and who goes on speaking says nothing else.
            let end = ContinuousClock.now + Self.settlingTime
            while port == nil, .now < end,
                try !opened.read(atMost: 4096, within: Self.silence).isEmpty
            {}
            listening = opened
        } catch {
            guard error.code == .channelUnavailable else { throw error }
        }
    }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        if let listening {
            self.listening = nil
            return try prepare(listening, isFlashed: isFlashed)
        }
        return try prepare(openPort(isFlashed: isFlashed), isFlashed: isFlashed)
    }

    /// The path of the board's port, once it is there, for a tool that opens it.
    func awaitPort(isFlashed: Bool) throws(ProvisioningError) -> String {
        try whenThere(isFlashed: isFlashed) { path throws(ProvisioningError) in
            guard access(path, R_OK | W_OK) == 0 else {
                throw ProvisioningError(
                    .channelUnavailable, "\(path): \(String(cString: strerror(errno)))",
                    hint: "is the board plugged in, and may you open its port?")
            }
            return path
        }
    }

    private func openPort(isFlashed: Bool) throws(ProvisioningError) -> SerialPort {
        try whenThere(isFlashed: isFlashed) { path throws(ProvisioningError) in
            portPath = path
            return try port(at: path)
        }
    }

    /// A board that is its own USB device leaves with its old firmware and comes back with the new one.
    private func whenThere<Result>(
        isFlashed: Bool, _ body: (String) throws(ProvisioningError) -> Result
    ) throws(ProvisioningError) -> Result {
        let end = ContinuousClock.now + platform.timeouts[.port]
        var wasMissing = false
        while true {
            do throws(ProvisioningError) {
                return try body(try currentPort())
            } catch {
                if let path = connection.serialPort, access(path, F_OK) != 0 { wasMissing = true }
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
        guard case .qemu = platform.emulation, connection.serialPort == nil,
            let probe = connection.probe
        else { return }
        throw ProvisioningError(
            .usage, "--probe \(probe) is a running board's, and its serial port is not named",
            hint: "add --port with what provision emulate printed; or leave --probe away to start "
                + "a board for this run")
    }

    func currentPort() throws(ProvisioningError) -> String {
        if let chosenPort { return try chosenPort.current(among: listPorts()) }
        if let path = connection.serialPort ?? emulatedPort() { return path }
        try checkThatPortIsNamed()
        guard platform.emulation == nil else {
            throw ProvisioningError(
                .channelUnavailable,
                "no board of \(platform.name)\(instanceName) is running here",
                hint: "start one in another terminal: \(emulateCommand)")
        }
        let ports = listPorts()
        return try ChosenPort(among: ports).current(among: ports)
    }

    private var rates: [UInt32] {
        connection.link.baud ?? platform.channel.baudRates.map(UInt32.init)
    }

    private func port(at path: String) throws(ProvisioningError) -> SerialPort {
        let port = try SerialPort(
            path: path, baud: rates[0],
            flowControl: connection.link.flowControl ?? platform.channel.flowControl,
            interruption: interruption)
        port.drainLimit = platform.timeouts[.drain]
        return port
    }

    /// Restarts the board where that is asked for, and finds its rate.
    private func prepare(
        _ port: SerialPort, isFlashed: Bool
    ) throws(ProvisioningError) -> SerialPort {
        do {
            try reset(port, isFlashed: isFlashed)
            guard rates.count > 1, asksForRate else { return port }
            let search = RateSearch(
                rates: rates, timePerRate: platform.timeouts[.rate],
                framing: connection.link.framing ?? platform.channel.framing,
                version: connection.link.smpVersion ?? platform.channel.smpVersion ?? .v2)
            let rate = try search.find(
                on: port, within: platform.timeouts.boot, logged: reporter.logged)
            reporter.remarked("\(port.name) answers at \(rate) baud")
            return port
        } catch {
            port.close()
            throw error
        }
    }

    /// A board that was not flashed is not restarted unless the user says so. A pseudo-terminal in the place of
    /// the board's port has no lines and needs none; but what the user asks for must not be left out
    /// silently.
    private func reset(_ port: SerialPort, isFlashed: Bool) throws(ProvisioningError) {
        guard !connection.link.noReset else { return }
        if let words = connection.link.reset {
            guard let sequence = try ModemSequence.parse(words) else { return }
            return try port.perform(sequence)
        }
        guard isFlashed, let sequence = platform.channel.reset else { return }
        do {
            try port.perform(sequence)
        } catch {
            guard port.isPseudoTerminal else { throw error }
            reporter.noted("no reset \(sequence): \(port.name) has no modem lines")
        }
    }

    private var instanceName: String { connection.instance.map { " called \($0)" } ?? "" }

    private var emulateCommand: String {
        var command = "provision emulate \(platform.name)"
        if let name = connection.instance { command += " --instance \(name)" }
        guard case .process = platform.emulation else { return command }
        return command + " --firmware FILE"
    }
}
