import Channels
import Provisioning

// The tables of a platform file that describe memory: flashing and emulation.
extension Platform {
    /// Addresses of a 32-bit device.
    static let addresses = 0...0xFFFF_FFFF
    /// Bytes. No microcontroller has more in one piece.
    private static let lengths = 1...0x400_0000

    /// What external tools may be told, besides the image.
    static let toolPlaceholders: Set<CommandPlaceholder> = [
        .chip, .port, .probe, .usb, .board, .baud, .package,
    ]

    private enum FlashMethod: String, CaseIterable { case gdb, command, adapter, none }

    /// How to flash, and at which rate the port is touched before.
    static func flash(_ root: PlatformSection<RootKey>) throws(ProvisioningError) -> (Flash, Int?) {
        let whole = try root.section(.flash, keys: FlashKey.self)?
            .replacing(Set(FlashKey.allCases), with: [.method])
        guard let section = whole else {
            guard root.has(.adapter) else { throw missingFlash(root) }
            return (.adapter, nil)
        }
        guard let method = try section.choice(.method, of: FlashMethod.self) else {
            throw section.invalid(.method, "missing \"method\"", hint: "choose one: \(flashHint)")
        }
        switch method {
        case .gdb:
            try refuse(
                [.command, .eraseCommand, .resetCommand, .touchBaud, .monitor, .monitorTerminal],
                method, section)
            return (
                .gdb(
                    GDBFlash(
                        eraseRegions: try regions(.eraseRegions, section),
                        resetCommand: try section.string(.resetMonitor) ?? "reset")), nil
            )
        case .command:
            try refuse([.eraseRegions, .resetMonitor], method, section)
            guard
                let flash = try section.command(
                    .command, allowing: Self.toolPlaceholders.union([.image]))
            else {
                throw section.invalid(
                    .method, "\"method\" is \"command\", but there is no \"command\"",
                    hint: "add the command, or a \"tool\" that has one")
            }
            guard flash.placeholders.contains(.image) else {
                throw section.invalid(
                    .command, "\"command\" does not take the {image}",
                    hint: "write {image} where the image's path belongs")
            }
            let commands = CommandFlasher.Commands(
                flash: flash,
                erase: try section.command(.eraseCommand, allowing: Self.toolPlaceholders),
                reset: try section.command(.resetCommand, allowing: Self.toolPlaceholders))
            let touchBaud = try section.integer(.touchBaud, in: SerialPort.rates)
            let usesTerminal = try section.boolean(.monitorTerminal)
            guard try section.boolean(.monitor) ?? false else {
                guard usesTerminal == nil else {
                    throw section.invalid(
                        .monitorTerminal, "\"monitor-terminal\" is there without \"monitor\"",
                        hint: "add monitor = true, or leave it away")
                }
                return (.command(commands), touchBaud)
            }
            try refuse([.touchBaud], method, section)
            guard commands.reset == nil else {
                throw section.invalid(
                    .resetCommand, "\"monitor\" is true, and what goes on running is not reset",
                    hint: "leave one of the two away")
            }
            return (.monitor(commands, usesTerminal: usesTerminal ?? false), nil)
        case .adapter, .none:
            try refuse(FlashKey.allCases.filter { $0 != .method }, method, section)
            return (method == .adapter ? .adapter : .none, nil)
        }
    }

    private static func missingFlash(_ root: PlatformSection<RootKey>) -> ProvisioningError {
        root.invalid(.flash, "missing \"flash\"", hint: "add [flash] with its method: \(flashHint)")
    }

    /// Also for a board that is only flashed by the user's own command: a run without that ends then.
    static let flashHint =
        "\"gdb\", \"command\", \"adapter\", or with an [emulator] \"none\"; where only a command behind "
        + "provision run -- flashes the board, method = \"command\", command = [\"false\", \"{image}\"]"

    private static func refuse(
        _ keys: [FlashKey], _ method: FlashMethod, _ section: PlatformSection<FlashKey>
    ) throws(ProvisioningError) {
        for key in keys where section.has(key) {
            throw section.invalid(
                key, "\"method\" is \"\(method.rawValue)\", which has no \"\(key.rawValue)\"",
                hint: "leave it away, or choose another \"method\"")
        }
    }

    private enum EmulatorKind: String, CaseIterable { case qemu, process }

    static func emulation(_ root: PlatformSection<RootKey>) throws(ProvisioningError) -> Emulation?
    {
        guard let section = try root.section(.emulator, keys: EmulatorKey.self) else { return nil }
        guard let kind = try section.choice(.kind, of: EmulatorKind.self) else {
            throw section.missing(.kind)
        }
        switch kind {
        case .process:
            for key in [EmulatorKey.persist, .factoryPage, .seedPage] where section.has(key) {
                throw section.invalid(
                    key, "\"kind\" is \"process\", which has no \"\(key.rawValue)\"",
                    hint: "leave it away, or choose another \"kind\"")
            }
            var command = try CommandTemplate(["{image}"])
            if let given = try section.command(.command, allowing: [.image]) { command = given }
            guard command.placeholders.contains(.image) else {
                throw section.invalid(
                    .command, "\"command\" does not take the {image}",
                    hint: "write {image} where the image's path belongs")
            }
            return .process(command: command)
        case .qemu:
            guard let command = try section.command(.command, allowing: []) else {
                throw section.missing(.command)
            }
            let factoryPage = try section.integer(.factoryPage, in: addresses).map(UInt64.init)
            var seedPage: AddressRange?
            if let inner = try section.section(.seedPage, keys: RegionKey.self) {
                seedPage = try inner.addressRange(lengths: lengths)
            }
            return .qemu(
                .init(
                    command: command, persistedRegions: try regions(.persist, section),
                    factoryPage: factoryPage, seedPage: seedPage))
        }
    }

    static func rtt(_ channel: PlatformSection<ChannelKey>) throws(ProvisioningError)
        -> RTTSettings?
    {
        guard let section = try channel.section(.rtt, keys: RTTKey.self) else { return nil }
        let memory = try regions(.ram, section)
        guard !memory.isEmpty else { throw section.missing(.ram) }
        func number(_ key: RTTKey) throws(ProvisioningError) -> Int? {
            try section.integer(key, in: RTTSettings.numbers)
        }
        return RTTSettings(
            memory: memory, up: try number(.up) ?? 0, down: try number(.down) ?? 0,
            log: try number(.log))
    }

    /// Regions that do not overlap; none where the key is missing.
    private static func regions<Key: PlatformKey>(
        _ key: Key, _ section: PlatformSection<Key>
    ) throws(ProvisioningError) -> [AddressRange] {
        var regions: [AddressRange] = []
        for inner in try section.sections(key, keys: RegionKey.self) ?? [] {
            let region = try inner.addressRange(lengths: lengths)
            if let other = regions.first(where: region.overlaps) {
                throw section.invalid(
                    key, "\(region) overlaps \(other)", hint: "make them one region")
            }
            regions.append(region)
        }
        return regions
    }
}
