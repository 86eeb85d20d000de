public import Attestation
public import Channels
public import Issuance
public import Provisioning
public import SMP

/// What the tool must know of a board: one validated file of `platforms/`.
///
/// Every value was checked when the file was read: argument lists hold only placeholders that their
/// command knows, regions lie in the address space and do not overlap, and no key contradicts another.
/// There is no other way to make one than to read a file.
public struct Platform: Sendable, Hashable {
    /// `[a-z0-9-]+`, the name of the file without `.toml`.
    public let name: String
    /// One line for people: what it is, and what it needs.
    public let description: String
    /// What the firmware calls its board, 1 to 64 characters. Several platforms may share a board: the
    /// real one and its emulation.
    public let board: String
    /// What it shares with other boards of its chip's family; nil: nothing.
    public let family: Reference?
    /// What it shares with other boards that are flashed with the same tool; nil: nothing.
    public let tool: Reference?
    /// The chip's name, as the flash tool knows it: `"nRF51822_xxAA"`. Nil: no command needs it.
    public let chip: String?
    /// USB devices, any of which is this board, or its probe. Empty: USB does not tell.
    public let usbMatches: [USBMatch]
    /// Nil: images come from elsewhere, by `--firmware`.
    public let build: Build?
    public let flash: Flash
    /// Where the device ID is. Nil: the file does not say.
    public let identification: Identification?
    public let channel: ChannelSettings
    /// Nil: the device is asked. Otherwise it only prints a line with its key.
    public let report: Report?
    /// The probe's GDB remote server where the user names no other.
    public let probe: ProbeEndpoint?
    /// Nil: this platform is real hardware.
    public let emulation: Emulation?
    public let credentials: Credentials
    /// Nil: this file is enough.
    public let adapter: Adapter?
    public internal(set) var timeouts: Timeouts
    /// Bits per second at which the board's port is opened and left before the flash command, so that its
    /// bootloader takes over. Nil: it needs nothing of the kind.
    public let touchBaud: Int?
    /// Where the file was: its path, or `"built in"`.
    public let origin: String
}

extension Platform {
    /// How to make the image. Run in the firmware package's folder.
    public struct Build: Sendable, Hashable {
        /// Platforms of the same build name share build products: the real board and its emulation.
        public let name: String
        /// Placeholders: `{scratch}`, `{package}`, `{board}`.
        public let command: CommandTemplate
        /// Path of the image, relative to the package where it is not absolute. Same placeholders.
        public let image: CommandTemplate
        let board: String

        /// The folder of build products, for `{scratch}`.
        public func scratchPath(package: String) -> String {
            "\(package)/.build/provision-\(name)"
        }

        /// What builds the firmware package in the folder `package`, an absolute path.
        ///
        /// - Throws: `.usage` if the path is one that the tool would take for something else.
        public func command(package: String) throws(ProvisioningError) -> Command {
            Command(try command.filled(with: values(package)), directory: package)
        }

        /// Where the build command leaves the image.
        public func imagePath(package: String) throws(ProvisioningError) -> String {
            let path = try image.filled(with: values(package)).joined()
            return path.hasPrefix("/") ? path : "\(package)/\(path)"
        }

        private func values(_ package: String) -> [CommandPlaceholder: String] {
            [.scratch: scratchPath(package: package), .package: package, .board: board]
        }
    }

    /// How an image gets into the board.
    public enum Flash: Sendable, Hashable {
        /// The probe writes the ELF file's segments and reads them back.
        case gdb(GDBFlash)
        /// An external tool does it.
        case command(CommandFlasher.Commands)
        /// An external tool does it, goes on running, and prints the device's log.
        case monitor(CommandFlasher.Commands, usesTerminal: Bool)
        /// The platform's adapter does it.
        case adapter
        /// Nothing to write: the emulator runs the image itself.
        case none
    }

    public struct GDBFlash: Sendable, Hashable {
        /// What holds keys and credentials. Empty: the platform can't erase.
        public let eraseRegions: [AddressRange]
        /// The server's `monitor` command that resets the board.
        public let resetCommand: String
    }

    /// A file that platform files refer to.
    public struct Reference: Sendable, Hashable {
        /// `[a-z0-9-]+`
        public let name: String
        /// One line for people.
        public let description: String
        /// Where its facts stand to be read.
        public let source: String
        /// Where the file was: its path, or `"built in"`.
        public let origin: String
    }

    /// Where the device ID is.
    public enum Identification: Sendable, Hashable {
        /// Only the firmware can tell; so many bytes, where the file says that.
        case firmware(length: Int?)
        /// The probe reads it, without the firmware's help.
        case probe(ProbedID)
    }

    /// What the probe reads. One of the two is there at least.
    public struct ProbedID: Sendable, Hashable {
        /// In the chip's memory. Nil: the command knows.
        public let location: DeviceIDLocation?
        /// A tool that reads it, where there is no GDB server. Nil: it takes one.
        public let command: DeviceIDCommand?
    }

    public struct ChannelSettings: Sendable, Hashable {
        public enum Kind: String, CaseIterable, Sendable, Hashable {
            case uart, rtt, usb, udp, adapter
        }

        public let kind: Kind
        /// Bits per second. Never empty. Where there are several, each is tried in turn.
        public let baudRates: [Int]
        public let flowControl: FlowControl
        /// What restarts the board after it was flashed. Nil: the flash tool does.
        public let reset: ModemSequence?
        /// How messages lie on a channel that is a byte stream: never `.datagram`.
        public let framing: SMPFraming
        /// Nil: 2, and 1 with a device that says it knows no other.
        public let smpVersion: SMPVersion?
        /// The SMP group under which the device library answers.
        public let group: UInt16
        /// Nil: the firmware has no RTT. Never nil with kind `.rtt`.
        public let rtt: RTTSettings?
        /// Nil: the file does not say which USB device it is. Never nil with kind `.usb`.
        public let usb: USBSelection?
        /// Where the device listens for datagrams, where the user names no other.
        public let udp: UDPEndpoint?
    }

    /// How a device that can't be asked tells its key.
    public struct Report: Sendable, Hashable {
        public enum Source: String, CaseIterable, Sendable, Hashable { case channel, flasher }

        /// Never empty.
        public let formats: Set<ReportFormat>
        public let source: Source
    }

    /// The board on the desk that isn't there.
    public enum Emulation: Sendable, Hashable {
        case qemu(QEMU)
        /// The image is a program of this machine, or an argument of one.
        case process(command: CommandTemplate)

        public struct QEMU: Sendable, Hashable {
            /// Machine and its options. UART, debugger, control socket and display are added.
            public let command: CommandTemplate
            /// What is kept from one run to the next, as flash would.
            public let persistedRegions: [AddressRange]
            /// Where the instance's ID is written before each start, see `FactoryPage`.
            public let factoryPage: UInt64?
            /// Filled with fresh random bytes before each start, for machines without an entropy
            /// source: injected entropy, good for tests and nothing else.
            public let seedPage: AddressRange?
        }
    }

    /// What the device is given.
    public struct Credentials: Sendable, Hashable {
        public let types: Set<CredentialType>
        /// Nil: no expiry.
        public let validityDays: Int?
    }

}

extension Platform {
    /// The same platform for a user who knows better.
    public func with(timeouts: [Timeout: Duration]) -> Platform {
        var platform = self
        platform.timeouts = platform.timeouts.merging(timeouts)
        return platform
    }

    /// What of the device ID the probe reads. Nil: nothing.
    public var probedID: ProbedID? {
        guard case .probe(let probed) = identification else { return nil }
        return probed
    }

    /// How to flash this board, and read its ID, through the GDB server at `endpoint`. Nil: it is not
    /// flashed that way.
    public func flasherConfiguration(endpoint: ProbeEndpoint) -> GDBFlasher.Configuration? {
        guard case .gdb(let flash) = flash else { return nil }
        return GDBFlasher.Configuration(
            endpoint: endpoint, resetCommand: flash.resetCommand, eraseRegions: flash.eraseRegions,
            deviceID: probedID?.location, rtt: channel.rtt, connectTimeout: timeouts[.connect],
            replyTimeout: timeouts[.probe],
            flashTimeout: timeouts.flash)
    }
}

extension Platform.Flash {
    /// Of an external tool.
    var commands: CommandFlasher.Commands? {
        switch self {
        case .command(let commands), .monitor(let commands, _): commands
        case .gdb, .adapter, .none: nil
        }
    }

    /// What its commands have to be told.
    public var placeholders: Set<CommandPlaceholder> {
        guard let commands else { return [] }
        return [commands.flash, commands.erase, commands.reset].compactMap(\.self)
            .reduce(into: []) { $0.formUnion($1.placeholders) }
    }
}
