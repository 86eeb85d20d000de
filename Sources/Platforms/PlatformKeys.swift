// The keys of a platform file, table by table: the schema. Whatever is not here is refused.
// `Platform` says what the values mean; `platforms/` has examples.

enum RootKey: String, PlatformKey {
    /// `[a-z0-9-]+`, the name of the file without `.toml`.
    case name
    /// One line for people.
    case description
    /// What the firmware calls its board, at most 64 characters.
    case board
    /// The chip's name, as the flash tool knows it: `{chip}` in its commands.
    case chip
    case match, build, flash, identify, channel, probe, emulator, credentials, timeouts
}

/// `[match]`, how the board is recognised when it is plugged in. Without it, it has to be named.
enum MatchKey: String, PlatformKey {
    /// List of USB devices, any of which is the board, or its probe.
    case usb
}

/// A USB device: `{ vendor = 0x0d28, product = 0x0204, text = "micro:bit" }`. All that is said must hold.
enum USBMatchKey: String, PlatformKey {
    /// 0 to 0xffff. Without `product`, `text` or `serial` must say which of the vendor's devices.
    case vendor, product
    /// A part of the name that the device gives itself, its product string.
    case text
    /// How its serial number begins.
    case serial
    /// The number of the USB interface with the serial port, 0 to 255, where the device has several.
    case interface
}

/// `[build]`. Without it, images come from elsewhere.
enum BuildKey: String, PlatformKey {
    /// `[a-z0-9-]+`, default: the board. Platforms of one name share build products.
    case name
    /// Argument list, run in the firmware package. `{scratch}`, `{package}`, `{board}`.
    case command
    /// Path, relative to the package. The same placeholders.
    case image
}

/// `[flash]`
enum FlashKey: String, PlatformKey {
    /// `"gdb"`: the probe writes; `"command"`: a tool does; `"none"`: the emulator runs the image.
    case method
    /// Argument list with `{image}`. Also `{chip}`, `{board}`, `{baud}`, `{package}`, and what the user
    /// names: `{port}` (--port), `{probe}` (--probe-serial). Method `"command"`.
    case command
    /// Argument list, run before flashing when asked for. Method `"command"`.
    case eraseCommand = "erase-command"
    /// Argument list, run after flashing. Method `"command"`.
    case resetCommand = "reset-command"
    /// List of regions that hold keys and credentials. Method `"gdb"`.
    case eraseRegions = "erase-regions"
    /// What resets the board, a monitor command of the GDB server; default `"reset"`. Method `"gdb"`.
    case resetMonitor = "reset-monitor"
}

/// A region: `{ address = 0x1000, length = 0x100 }`.
enum RegionKey: String, PlatformKey {
    case address
    /// Bytes.
    case length
}

/// `[identify]`, where the probe can read the device ID.
enum IdentifyKey: String, PlatformKey {
    case address
    /// Bytes, 1 to 64.
    case length
    /// Whether it must be read by aligned 32-bit accesses; default false.
    case wordAccess = "word-access"
}

/// `[channel]`
enum ChannelKey: String, PlatformKey {
    /// `"uart"`; `"rtt"`: through the debug probe; `"usb"`: bulk endpoints of a vendor interface.
    case kind
    /// Symbols per second, one or a list; the first is used unless `--baud` names another; default
    /// 115200.
    case baud
    /// The SMP group of the device library, 64 to 65535; default 8392.
    case group
    /// Where RTT is. With another kind, for those who ask for `--channel rtt`.
    case rtt
    /// Which USB device it is. With another kind, for those who ask for `--channel usb`.
    case usb
}

/// `[channel.rtt]`
enum RTTKey: String, PlatformKey {
    /// List of regions of RAM that are searched for the control block, and in which its rings must lie.
    case ram
    /// Numbers of the channels that carry the device protocol, to the host and from it; default 0.
    case up, down
    /// Number of the channel to the host with the log; default: it shares `up`.
    case log
}

/// `[channel.usb]`: what is said must be so of the device, and something must be said.
enum USBKey: String, PlatformKey {
    /// idVendor and idProduct of the device with its new firmware: 0x1209. A product needs a vendor.
    case vendor, product
    /// The device's serial number, where one board is meant and no other of its kind.
    case serial
    /// The interface's string.
    case interface
}

/// `[probe]`, for real boards with a usual GDB server.
enum ProbeKey: String, PlatformKey {
    /// `"tcp:HOST:PORT"` or `"unix:PATH"`
    case endpoint
}

/// `[emulator]`. Without it, the platform is real hardware.
enum EmulatorKey: String, PlatformKey {
    /// `"qemu"`, or `"process"`: the image is a program of this machine.
    case kind
    /// Argument list. QEMU: the machine; serial port, debugger, control socket and display are added.
    /// Process: with `{image}`, which is also the default.
    case command
    /// List of regions that are kept from one run to the next. QEMU.
    case persist
    /// Address where the instance's ID is written before each start, see `FactoryPage`. QEMU.
    case factoryPage = "factory-page"
    /// Region that is filled with random bytes before each start. QEMU.
    case seedPage = "seed-page"
}

/// `[credentials]`
enum CredentialsKey: String, PlatformKey {
    /// List of `"x509"` and `"cwt"`; default both.
    case types
    /// Days, 1 to 36500; default: no expiry.
    case validityDays = "validity-days"
    /// Whether the device gets the certificates that it may trust; default false.
    case trustAnchors = "trust-anchors"
}

/// `[timeouts]`, in milliseconds.
enum TimeoutsKey: String, PlatformKey {
    /// From reset to the first answer; default 5000.
    case bootMilliseconds = "boot-ms"
    /// For an answer that needs no cryptography; default 2000.
    case answerMilliseconds = "answer-ms"
    /// For an answer that the device makes a key or a signature for; default 10000.
    case signatureMilliseconds = "signature-ms"
    /// For flashing; default 120000.
    case flashMilliseconds = "flash-ms"
}
