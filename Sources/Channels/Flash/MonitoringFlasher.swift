public import Provisioning

/// Flashes with an external tool that goes on running and prints the device's log: `probe-rs run`,
/// `espflash flash --monitor`, `cargo embed`.
///
/// `flash` returns when the tool has started, for only what the firmware says shows that it has flashed
/// it: `check` comes after that. The tool lives until `close`.
public final class MonitoringFlasher: Flasher {
    private let flasher: CommandFlasher
    private let usesTerminal: Bool
    private let interruption: Interruption
    private var monitor: MonitorLog?

    /// - Parameters:
    ///   - flasher: knows the commands; its flash command is the one that goes on.
    ///   - usesTerminal: whether the tool gets a terminal in the place of pipes. Some behave differently, as
    ///     probe-rs 0.31 and earlier, which end with a panic where the firmware reads from the host.
    public init(_ flasher: CommandFlasher, usesTerminal: Bool, interruption: Interruption) {
        self.flasher = flasher
        self.usesTerminal = usesTerminal
        self.interruption = interruption
    }

    deinit { close() }

    /// What the tool prints, on standard output and standard error.
    ///
    /// - Throws: `.usage` before `flash`.
    public var log: MonitorLog {
        get throws(ProvisioningError) {
            if let monitor { return monitor }
            throw ProvisioningError(
                .usage, "the flash tool prints the log, and nothing is flashed",
                hint: "provision run flashes; to read another log: --log")
        }
    }

    /// The receipt is a promise that `check` makes good.
    public func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError)
        -> FlashReceipt
    {
        let (command, receipt) = try flasher.prepare(image, erasing: erasing)
        monitor = try start(command)
        return receipt
    }

    public func flashOwnImage(erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        let (command, receipt) = try flasher.prepare(nil, erasing: erasing)
        monitor = try start(command)
        return receipt
    }

    private func start(_ command: Command) throws(ProvisioningError) -> MonitorLog {
        try MonitorLog(
            command, usesTerminal: usesTerminal, patience: flasher.timeout,
            interruption: interruption)
    }

    public func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError) {
        try flasher.check(image, is: receipt)
        monitor?.hasFlashed = true
    }

    /// Ends the tool, as Ctrl-C does. Idempotent.
    ///
    /// - Returns: how it ended; nil if it was never started.
    @discardableResult
    public func close() -> ProcessEnding? { monitor?.end() }
}
