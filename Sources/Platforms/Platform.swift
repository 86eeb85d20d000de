public import Issuance

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
    /// Nil: images come from elsewhere, by `--firmware`.
    public let build: Build?
    public let flash: Flash
    /// Nil: the probe can't read the device ID, or there is none.
    public let identification: Identification?
    public let channel: ChannelSettings
    /// The probe's GDB remote server where the user names no other: `"tcp:localhost:3333"`.
    public let probe: String?
    /// Nil: this platform is real hardware.
    public let emulation: Emulation?
    public let credentials: Credentials
    public let timeouts: Timeouts
    /// Where the file was: its path, or `"built in"`.
    public let origin: String
}

extension Platform {
    /// How to make the image. Run in the firmware package's folder.
    public struct Build: Sendable, Hashable {
        /// Platforms of the same build name share build products: the real board and its emulation.
        public let name: String
        /// Placeholders: `{scratch}`, `{package}`.
        public let command: [String]
        /// Path of the image, relative to the package where it is not absolute. Same placeholders.
        public let image: String

        /// The folder of build products, for `{scratch}`.
        public func scratchPath(package: String) -> String {
            "\(package)/.build/provision-\(name)"
        }

        /// The arguments of the build command, for the firmware package in the folder `package`.
        public func arguments(package: String) -> [String] {
            command.map { fill($0, package: package) }
        }

        /// Where the build command leaves the image.
        public func imagePath(package: String) -> String {
            let path = fill(image, package: package)
            return path.hasPrefix("/") ? path : "\(package)/\(path)"
        }

        private func fill(_ text: String, package: String) -> String {
            Placeholder.fill(
                text, with: [.scratch: scratchPath(package: package), .package: package])
        }
    }

    /// How an image gets into the board.
    public enum Flash: Sendable, Hashable {
        /// The probe writes the ELF file's segments and reads them back.
        case gdb(GDBFlash)
        /// An external tool does it.
        case command(FlashCommand)
        /// Nothing to write: the emulator runs the image itself.
        case none
    }

    public struct GDBFlash: Sendable, Hashable {
        /// What holds keys and credentials. Empty: the platform can't erase.
        public let eraseRegions: [MemoryRegion]
        /// The server's `monitor` command that resets the board.
        public let resetCommand: String
    }

    /// Argument lists of external tools. Placeholder: `{image}`.
    public struct FlashCommand: Sendable, Hashable {
        public let flash: [String]
        /// Nil: the platform can't erase.
        public let erase: [String]?
        /// Starts the new image. Nil: `flash` does.
        public let reset: [String]?

        /// `arguments` with the path of the image filled in.
        public func arguments(_ arguments: [String], image: String) -> [String] {
            arguments.map { Placeholder.fill($0, with: [.image: image]) }
        }
    }

    /// Where the probe finds the device ID, without the firmware's help.
    public struct Identification: Sendable, Hashable {
        /// 1 to 64 bytes: the ID as the firmware reports it, in the order of addresses.
        public let region: MemoryRegion
        /// Whether it must be read by aligned 32-bit accesses.
        public let usesWordAccess: Bool
    }

    public struct ChannelSettings: Sendable, Hashable {
        public enum Kind: String, CaseIterable, Sendable, Hashable { case uart }

        public let kind: Kind
        /// Symbols per second, the likeliest first. Never empty.
        public let baudRates: [Int]
    }

    /// The board on the desk that isn't there.
    public enum Emulation: Sendable, Hashable {
        case qemu(QEMU)
        /// The image is a program of this machine, or an argument of one.
        case process(command: [String])

        public struct QEMU: Sendable, Hashable {
            /// Machine and its options. UART, debugger, control socket and display are added.
            public let command: [String]
            /// What is kept from one run to the next, as flash would.
            public let persistedRegions: [MemoryRegion]
            /// Where the instance's ID is written before each start, see `FactoryPage`.
            public let factoryPage: UInt64?
            /// Filled with fresh random bytes before each start, for machines without an entropy
            /// source: injected entropy, good for tests and nothing else.
            public let seedPage: MemoryRegion?
        }
    }

    /// What the device is given.
    public struct Credentials: Sendable, Hashable {
        public let types: Set<CredentialType>
        /// Nil: no expiry.
        public let validityDays: Int?
    }

    public struct Timeouts: Sendable, Hashable {
        /// From reset to the first answer.
        public let boot: Duration
        /// For one answer that needs no cryptography.
        public let answer: Duration
        /// For one answer that the device makes a key or a signature for.
        public let signature: Duration
        /// For flashing, by the probe or by an external tool.
        public let flash: Duration
    }
}
