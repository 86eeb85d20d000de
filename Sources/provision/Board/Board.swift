import Channels
import Foundation
import OpenSSL
import Platforms
import Provisioning
import SMP

/// One board within reach: on a cable, or emulated for as long as this object lives.
final class Board {
    let platform: Platform
    let connection: Connection
    /// How messages lie on a byte stream.
    var framing: SMPFraming { connection.link.framing ?? platform.channel.framing }
    /// Absolute: what is in it is named to tools that run in it.
    let packagePath: String
    /// USB numbers of the board's probe, where USB shows which it is.
    private let probeNumbers: String?
    private let stateDirectory: String
    let interruption: Interruption
    let reporter: ProgressReporter
    var emulator: Emulator?
    private var probeSession: GDBFlasher?
    /// Nil until it is needed.
    var adapterSession: AdapterSession?
    private var claims: [BoardClaim] = []
    /// Whether this run flashes it, or has.
    let isFlashing: Bool
    /// Where the log is read of a device that only reports; nil: it is asked.
    let log: LogSource?
    /// What this run has put on the board, or will: it may say where its RTT is.
    var image: FirmwareImage?
    /// What flashes in the place of the platform's flash step.
    private let given: GivenFlash?
    var monitor: MonitoringFlasher?
    let listPorts: () -> [SerialPortDescription]
    /// Nil until it is asked for.
    private var route: (any ChannelRoute)?
    private var toolSerialRoute: SerialRoute?

    /// - Parameters:
    ///   - isFlashing: whether this run flashes it: what speaks there may only be starting then.
    ///   - log: where the log is read of a device that only reports; nil: it is asked.
    ///   - given: what flashes in the place of the platform's flash step.
    ///   - probeNumbers: `0d28:0204`, of the probe with `connection.probeSerial`.
    ///   - listPorts: the serial ports of this moment.
    init(
        _ platform: Platform, _ connection: Connection, packagePath: String,
        stateDirectory: String, interruption: Interruption, reporter: ProgressReporter,
        isFlashing: Bool, log: LogSource? = nil, given: GivenFlash? = nil,
        probeNumbers: String? = nil,
        listPorts: @escaping () -> [SerialPortDescription] = { SerialPorts.list() }
    ) {
        self.platform = platform
        self.connection = connection
        self.packagePath = URL(filePath: packagePath).standardizedFileURL.path
        self.stateDirectory = stateDirectory
        self.interruption = interruption
        self.reporter = reporter
        self.isFlashing = isFlashing
        self.log = log
        self.given = given
        self.probeNumbers = probeNumbers
        self.listPorts = listPorts
    }

    /// Holds what the user named, and starts the emulated board, where the platform is one and the user
    /// named no running one.
    ///
    /// - Throws: `.channelBusy` or `.deviceBusy`, naming the run that has the port or probe.
    func start() throws(ProvisioningError) {
        try claim()
        guard startsEmulator, emulator == nil else { return }
        emulator = try Emulator.start(
            platform, stateDirectory: stateDirectory, instance: connection.instance,
            interruption: interruption)
    }

    /// Whether the board is played for this run, from before it is touched.
    private var startsEmulator: Bool {
        guard case .qemu = platform.emulation else { return false }
        return connection.serialPort == nil && connection.probe == nil
    }

    private func claim() throws(ProvisioningError) {
        guard claims.isEmpty else { return }
        let port =
            switch try PortAddress(connection, of: platform) {
            case .socket(let endpoint): endpoint.description
            case .network(let endpoint): endpoint.description
            case .usb(let selection): selection.description
            case .path, .openOCD, .adapter, nil: connection.serialPort.map(Self.node)
            }
        if let port {
            claims.append(try BoardClaim(port, else: .channelBusy, in: stateDirectory))
        }
        if let probe = connection.probe {
            let name = try namedProbe().map { "\($0)" } ?? probe
            claims.append(
                try BoardClaim("the probe \(name)", else: .deviceBusy, in: stateDirectory))
        } else if let serial = connection.probeSerial {
            claims.append(
                try BoardClaim("the probe \(serial)", else: .deviceBusy, in: stateDirectory))
        }
    }

    /// One path may be a link to another; what is no path stays what it is.
    private static func node(_ port: String) -> String {
        port.contains("/") ? URL(filePath: port).resolvingSymlinksInPath().path : port
    }

    /// What ended the emulator, where that is why a board does not answer.
    var emulatorFailure: ProvisioningError? { emulator?.failure }

    /// Keeps an emulated board's memory as it is now, also if this computer loses its power.
    func save() throws(ProvisioningError) { try emulator?.save() }

    /// Lets go of the probe, keeps an emulated board's memory and ends it. Idempotent.
    func stop() throws(ProvisioningError) {
        monitor?.close()
        monitor = nil
        probeSession?.close()
        probeSession = nil
        adapterSession?.end()
        adapterSession = nil
        for claim in claims { claim.release() }
        claims = []
        defer { emulator = nil }
        try emulator?.stop()
    }

    /// What puts an image on this board; nil where the platform has no way.
    ///
    /// - Throws: `.probeUnavailable` where it takes a probe and nobody named one.
    func flasher() throws(ProvisioningError) -> (any Flasher)? {
        switch given?.step(on: platform) ?? platform.flash {
        case .gdb:
            guard let probe = try probe() else { throw unnamedProbe }
            probe.beforeStart = { [unowned self] () throws(ProvisioningError) in try listen() }
            return probe
        case .command(let commands):
            // A command that the user gave does all that it takes.
            let touchBaud = given == nil ? platform.touchBaud : nil
            return try touchBaud.map { baud throws(ProvisioningError) in
                try touchingFlasher(commands, baud: baud)
            } ?? listeningFlasher(commands)
        case .monitor(let commands, let usesTerminal):
            guard log == .flasher else { throw endlessFlashStep }
            let flasher = MonitoringFlasher(
                commandFlasher(commands, port: connection.serialPort), usesTerminal: usesTerminal,
                interruption: interruption)
            monitor = flasher
            return flasher
        case .adapter: return try adapterFlasher()
        case .none:
            guard case .process = platform.emulation, connection.port == nil else { return nil }
            return EmulatedProcessStarter(board: self)
        }
    }

    /// Refuses a flash step that can't be done, before anything is made or opened for it.
    ///
    /// - Throws: `.probeUnavailable`; `.usage`.
    func checkFlashStep() throws(ProvisioningError) {
        switch given?.step(on: platform) ?? platform.flash {
        case .gdb: guard try hasProbe else { throw unnamedProbe }
        case .monitor(let commands, _):
            guard log == .flasher else { throw endlessFlashStep }
            try checkValues(for: commands)
        case .command(let commands): try checkValues(for: commands)
        case .adapter, .none: break
        }
    }

    /// That there is something for each placeholder, whatever the image is.
    private func checkValues(for commands: CommandFlasher.Commands) throws(ProvisioningError) {
        var values = toolValues(port: connection.serialPort)
        values[.image] = "/image"
        // Whoever touches the board finds its port.
        if given == nil, platform.touchBaud != nil { values[.port] = values[.port] ?? "/port" }
        _ = try commands.flash.filled(with: values)
        _ = try commands.reset?.filled(with: values)
    }

    /// Refuses a channel that is not there and can't come, before anything is made or opened for it.
    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        try chosenRoute().checkPresence(isFlashing: isFlashing)
    }

    private var unnamedProbe: ProvisioningError {
        ProvisioningError(
            .probeUnavailable,
            "\(platform.name) is flashed through a debug probe, and none is named",
            hint: "name its GDB server with --probe, or do not flash: provision enroll")
    }

    private var endlessFlashStep: ProvisioningError {
        ProvisioningError(
            .usage, "the flash command of \(platform.name) goes on running",
            hint: "flash and provision in one: provision run")
    }

    /// Looks whether the firmware can be reached, before the board is flashed and the answer comes too late.
    func checkChannel() throws(ProvisioningError) { try chosenRoute().check() }

    /// What the firmware speaks on.
    func openChannel() throws(ProvisioningError) -> any Channel {
        try chosenRoute().open(isFlashed: isFlashing)
    }

    /// `error`, with what the channel knows about why the board did not answer.
    func explained(_ error: ProvisioningError) -> ProvisioningError {
        route?.explained(error, isFlashed: isFlashing) ?? error
    }

    func chosenRoute() throws(ProvisioningError) -> any ChannelRoute {
        if let route { return route }
        let route = try makeRoute()
        self.route = route
        return route
    }

    fileprivate func startProcess(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError) {
        emulator = try Emulator.start(
            platform, image: image.path, erasing: erasing, stateDirectory: stateDirectory,
            instance: connection.instance, interruption: interruption
        ) { [unowned self] port throws(ProvisioningError) in try listen(at: port) }
    }

    /// The debug probe, connected when it is first used; nil where nobody named one.
    func probe() throws(ProvisioningError) -> GDBFlasher? {
        if let probeSession { return probeSession }
        guard let endpoint = try endpoint() else { return nil }
        let configuration =
            platform.flasherConfiguration(endpoint: endpoint)
            ?? GDBFlasher.Configuration(
                endpoint: endpoint, deviceID: platform.probedID?.location,
                rtt: platform.channel.rtt,
                connectTimeout: platform.timeouts[.connect],
                replyTimeout: platform.timeouts[.probe])
        let flasher = GDBFlasher(configuration, interruption: interruption) { [reporter] progress in
            reporter.flashing(progress)
        }
        probeSession = flasher
        return flasher
    }

    /// Whether there is one, or will be with the board that this run starts.
    var hasProbe: Bool {
        get throws(ProvisioningError) {
            // Not by ||, whose closure loses the error's type.
            if startsEmulator { return true }
            return try endpoint() != nil
        }
    }

    private func endpoint() throws(ProvisioningError) -> ProbeEndpoint? {
        if let named = try namedProbe() { return named }
        if let emulator { return emulator.probe }
        return platform.probe
    }

    /// Nil where the user named none, or one that only the adapter understands.
    private func namedProbe() throws(ProvisioningError) -> ProbeEndpoint? {
        guard let probe = connection.probe else { return nil }
        do {
            return try ProbeEndpoint(parsing: probe)
        } catch {
            guard platform.adapter == nil else { return nil }
            throw error
        }
    }

    private func commandFlasher(
        _ commands: CommandFlasher.Commands, port: String?
    ) -> CommandFlasher {
        CommandFlasher(
            commands, values: toolValues(port: port), directory: packagePath,
            timeout: platform.timeouts.flash,
            runner: runner)
    }

    /// The tool's reset starts the device once more, and only then is its port free.
    private func listeningFlasher(_ commands: CommandFlasher.Commands) -> CommandFlasher {
        var flasher = commandFlasher(commands, port: connection.serialPort)
        if commands.reset?.placeholders.contains(.port) == false {
            flasher.beforeReset = { [unowned self] () throws(ProvisioningError) in try listen() }
        }
        return flasher
    }

    /// Opens the channel of a device that can't be asked to repeat what it says at its start.
    ///
    /// - Parameter port: of an emulated board that is only just being started.
    fileprivate func listen(at port: String? = nil) throws(ProvisioningError) {
        switch log {
        case .channel, .listener: try chosenRoute().listen(at: port)
        default: break
        }
    }

    /// What the commands of an external tool may name.
    func toolValues(port: String?) -> [CommandPlaceholder: String] {
        let rate = connection.link.baud.map { Int($0[0]) } ?? platform.channel.baudRates[0]
        var values: [CommandPlaceholder: String] = [
            .board: platform.board, .package: packagePath, .baud: String(rate),
        ]
        values[.chip] = platform.chip
        values[.port] = port
        values[.probe] = connection.probeSerial
        values[.usb] = probeNumbers
        return values
    }

    /// The serial port that tools are told, which may be another one than the channel is.
    func toolRoute() throws(ProvisioningError) -> SerialRoute {
        if let serial = try chosenRoute() as? SerialRoute ?? toolSerialRoute { return serial }
        let serial = serialRoute()
        toolSerialRoute = serial
        return serial
    }

    private func touchingFlasher(
        _ commands: CommandFlasher.Commands, baud: Int
    ) throws(ProvisioningError) -> any Flasher {
        let serial = try toolRoute()
        return TouchingFlasher(
            baud: baud, timeouts: platform.timeouts, interruption: interruption,
            port: serial.choosePort, current: serial.currentPort, noted: reporter.noted
        ) { port in self.commandFlasher(commands, port: port) }
    }

    private var runner: CommandRunner {
        CommandRunner(interruption: interruption) { [reporter] output in
            reporter.noted(output.line)
        }
    }
}

/// For a device that is a program of this machine: starting the image is what flashing is elsewhere.
private struct EmulatedProcessStarter: Flasher {
    let board: Board

    func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        let bytes = try image.readBytes()
        try board.stop()
        try board.startProcess(image, erasing: erasing)
        return FlashReceipt(digest: SHA256.hash(bytes), byteCount: bytes.count, isVerified: false)
    }

    func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError) {
        try image?.check(is: receipt)
    }
}
