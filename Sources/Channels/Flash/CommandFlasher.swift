public import Provisioning

/// Flashes with an external tool: `west flash`, `openocd`, `probe-rs`, `esptool`.
public struct CommandFlasher: Flasher {
    public struct Commands: Sendable, Hashable {
        public var flash: CommandTemplate
        /// Run before `flash` when erasing is asked for. Nil: the platform can't erase.
        public var erase: CommandTemplate?
        /// Run after `flash`, to start the image. Nil: `flash` does.
        public var reset: CommandTemplate?

        public init(
            flash: CommandTemplate, erase: CommandTemplate? = nil, reset: CommandTemplate? = nil
        ) {
            self.flash = flash
            self.erase = erase
            self.reset = reset
        }
    }

    private let commands: Commands
    private let values: [CommandPlaceholder: String]
    private let directory: String?
    private let environment: [String: String?]
    let timeout: Duration
    private let runner: CommandRunner
    /// Called between `flash` and `reset`, where there is a `reset`: who must not miss what the firmware says at its
    /// start listens from here on.
    public var beforeReset: () throws(ProvisioningError) -> Void = {}

    /// - Parameters:
    ///   - values: for the placeholders but `{image}`.
    ///   - timeout: for each of the commands.
    public init(
        _ commands: Commands, values: [CommandPlaceholder: String] = [:],
        directory: String? = nil, environment: [String: String?] = [:],
        timeout: Duration = .seconds(120), runner: CommandRunner
    ) {
        self.commands = commands
        self.values = values
        self.directory = directory
        self.environment = environment
        self.timeout = timeout
        self.runner = runner
    }

    /// The receipt has no byte count and is not verified: only the tool knows. Its digest is of the file
    /// as the tool could read it: if that changes meanwhile, flashing failed.
    ///
    /// - Throws: `.imageInvalid`; `.usage` for a value that must not be passed on; `.flashFailed`;
    ///   `.interrupted`, with the tool ended.
    public func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError)
        -> FlashReceipt
    {
        let (command, receipt) = try prepare(image, erasing: erasing)
        try run(command)
        try reset(image)
        try check(image, is: receipt)
        return receipt
    }

    /// The receipt has no digest.
    public func flashOwnImage(erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        let (command, receipt) = try prepare(nil, erasing: erasing)
        try run(command)
        try reset(nil)
        return receipt
    }

    private func reset(_ image: FirmwareImage?) throws(ProvisioningError) {
        guard let reset = commands.reset else { return }
        try beforeReset()
        try run(command(reset, image))
    }

    /// Does all that comes before flashing: erases, where that is asked for.
    ///
    /// - Parameter image: nil: the tool has its own.
    /// - Returns: what flashes, and what is true once it has.
    func prepare(_ image: FirmwareImage?, erasing: Bool) throws(ProvisioningError)
        -> (Command, FlashReceipt)
    {
        let receipt = FlashReceipt(
            digest: try image?.digest(), byteCount: nil, isVerified: false)
        let flash = try command(commands.flash, image)
        if erasing {
            guard let erase = commands.erase else {
                throw ProvisioningError(
                    .flashFailed, "erasing was asked for, the platform has no erase command",
                    hint: "leave --erase away, or give [flash] of its file an erase command")
            }
            try run(command(erase, image))
        }
        return (flash, receipt)
    }

    public func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError) {
        try image?.check(is: receipt)
    }

    private func command(_ template: CommandTemplate, _ image: FirmwareImage?)
        throws(ProvisioningError) -> Command
    {
        var values = values
        values[.image] = image?.path
        return Command(
            try template.filled(with: values), directory: directory, environment: environment)
    }

    private func run(_ command: Command) throws(ProvisioningError) {
        do {
            try runner.run(command, timeout: timeout, failure: .flashFailed)
        } catch {
            guard error.code == .flashFailed, error.hint == nil else { throw error }
            throw ProvisioningError(
                error.code, error.reason,
                hint: "is the board attached and the probe free? then run it again")
        }
    }
}
