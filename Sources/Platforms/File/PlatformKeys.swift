// The keys of a platform file, table by table: the schema. Whatever is not here is refused.
// `Platform` says what the values mean; `PlatformFile.md` lists them for people, and a test holds it to this.

enum RootKey: String, PlatformKey {
    /// `[a-z0-9-]+`, the name of the file without `.toml`.
    case name
    /// One line for people.
    case description
    /// What the firmware calls its board, at most 64 characters.
    case board
    /// The name of a file in `families/`, whose tables are this board's where it has none of its own.
    case family
    /// The name of a file in `tools/`, in the same way, below the family; default: the family's.
    case tool
    /// The chip's name, as the flash tool knows it: `{chip}` in its commands.
    case chip
    case match, build, flash, identify, channel, report, probe, emulator, credentials, timeouts
    case adapter
}

/// A file of `families/`: what is so of all boards with such a chip. Its tables have the keys of a platform's.
enum FamilyKey: String, PlatformKey {
    /// `[a-z0-9-]+`, the name of the file without `.toml`.
    case name
    /// One line for people.
    case description
    /// One line: where the address of the ID, and the rest, stands to be read.
    case source
    /// What boards of this family are flashed with, unless they name another tool.
    case tool
    /// Where all its boards have one, as the flash tool knows it.
    case chip
    case flash, identify, channel, credentials, timeouts
}

/// A file of `tools/`: how boards are flashed with one, and how it reads a chip's memory.
enum ToolKey: String, PlatformKey {
    /// As in a family.
    case name, description, source
    case flash, identify, timeouts
}

/// `[match]`, how the board is recognised when it is plugged in. Without it, it has to be named.
enum MatchKey: String, PlatformKey {
    /// List of different USB devices, at least one, any of which is the board, or its probe.
    case usb
}

/// A USB device: `{ vendor = 0x0d28, product = 0x0204, text = "micro:bit" }`. All that is said must hold.
enum USBMatchKey: String, PlatformKey {
    /// 0 to 0xffff. A vendor is needed; without `product`, `text` or `serial` must say which of its devices.
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
    /// `[a-z0-9-]+`, default: the board, if that is of this form. Platforms of one name share build products.
    case name
    /// Argument list, run in the firmware package. `{scratch}`, `{package}`, `{board}`.
    case command
    /// Path, relative to the package. The same placeholders.
    case image
}

/// `[flash]`. A file that says `method` says it anew: nothing of it is taken from a family or a tool.
enum FlashKey: String, PlatformKey {
    /// `"gdb"`: the probe writes; `"command"`: a tool does; `"adapter"`: the adapter does; `"none"`: the
    /// emulator runs the image.
    case method
    /// Argument list with `{image}`. Also `{chip}`, `{board}`, `{baud}`, `{package}`, and what the user
    /// names or USB tells: `{port}` (--port), `{probe}` (--probe-serial), `{usb}`, the probe's USB numbers.
    /// Method `"command"`.
    case command
    /// Argument list without `{image}`, run before flashing when asked for. Method `"command"`.
    case eraseCommand = "erase-command"
    /// Argument list without `{image}`, run after flashing. Method `"command"`, without `monitor`.
    case resetCommand = "reset-command"
    /// Whether the command goes on running, and prints the device's log; default false. Method
    /// `"command"`, with `[report] from = "flasher"`.
    case monitor
    /// Whether it gets a terminal in the place of pipes; default false. With `monitor`.
    case monitorTerminal = "monitor-terminal"
    /// List of regions that hold keys and credentials. Method `"gdb"`.
    case eraseRegions = "erase-regions"
    /// Bits per second at which the board's port is opened and left before the command, for a bootloader
    /// that waits for that: 1200. `{port}` is the port that comes then. Method `"command"`, without
    /// `monitor`.
    case touchBaud = "touch-baud"
    /// What resets the board, a monitor command of the GDB server; default `"reset"`. Method `"gdb"`.
    case resetMonitor = "reset-monitor"
}

/// `[adapter]`, a program that does what no other key of this file can say. With it, a `[flash]` that is not
/// there and a `[channel]` without `kind` are its own; one of the two must be.
enum AdapterKey: String, PlatformKey {
    /// `[a-z0-9-]+`: the program `provision-platform-NAME`, beside this file or on `PATH`.
    case name
}

/// A region: `{ address = 0x1000, length = 0x100 }`.
enum RegionKey: String, PlatformKey {
    /// 0 to 0xffffffff, where the region must end, too.
    case address
    /// Bytes, 1 to 0x4000000.
    case length
}

/// `[identify]`, where the device ID is. A file that says `address` or `words` says it anew: nothing of it
/// is taken from a family. In the same way with `command`, its `format` and its `script`; and with `from`,
/// which says the whole table anew.
enum IdentifyKey: String, PlatformKey {
    /// `"probe"`, the default: it is read without the firmware's help; `"firmware"`: nobody else can, and
    /// only `length` may stand beside it.
    case from
    /// Of the first byte.
    case address
    /// Bytes, 1 to 64. With `words`, so many of their bytes are the ID; default: all. From the firmware: for
    /// people.
    case length
    /// List of the addresses of 32-bit words, in place of `address`, for an ID that is not in one piece.
    case words
    /// `"memory"`, the default: in the order of addresses; `"reversed"`: the last byte first;
    /// `"big-endian-words"`: each word's last byte first. As the firmware says it.
    case order
    /// Whether it must be read by aligned 32-bit accesses; default false. `words` are, and don't have it.
    case wordAccess = "word-access"
    /// Argument list of a tool that reads it, where no GDB server is named. Placeholders as for flashing, of
    /// which `{probe}` or `{port}` must say which board, and `{address}`, `{words}`, `{length}`.
    case command
    /// How the tool prints it: see `DeviceIDFormat`.
    case format
    /// List of lines of a file `{script}`, with the same placeholders, for a tool that reads its commands
    /// from one.
    case script
}

/// `[report]`, for boards that only print a line with their key. Nothing is sent to them, and they get no
/// credential.
enum ReportKey: String, PlatformKey {
    /// List of what is looked for: `"provision"`, `"ariel"`, at least one; default both.
    case formats
    /// Where the log is: `"channel"`, the default; `"flasher"`: what the flash command with `monitor`
    /// prints.
    case from
}

/// `[channel]`. Not needed where the log is the flash command's, nor with `[adapter]`.
enum ChannelKey: String, PlatformKey {
    /// `"uart"`; `"rtt"`: through the debug probe; `"usb"`: bulk endpoints of a vendor interface; `"udp"`;
    /// `"adapter"`: through the adapter, the default with `[adapter]`.
    case kind
    /// Bits per second, one or a list, of which each is tried in turn; default 115200.
    case baud
    /// `"none"`, `"rts-cts"` or `"xon-xoff"`; default none.
    case flowControl = "flow-control"
    /// What restarts a board that was flashed: `"none"`, `"dtr"`, `"arduino"`, `"esp"`, or a list of steps:
    /// `["dtr=0,rts=1", "wait=100", "rts=0"]`; default none.
    case reset
    /// `"console"`, or `"raw"`: SMP messages and nothing else; default console. Not with kind `"udp"`.
    case framing
    /// 1 or 2; default 2, and 1 with a device that says it knows no other.
    case smpVersion = "smp-version"
    /// The SMP group of the device library, 64 to 65535; default 8392.
    case group
    /// Where RTT is. With another kind, for those who ask for `--channel rtt`.
    case rtt
    /// Which USB device it is. With another kind, for those who ask for `--channel usb`.
    case usb
    /// Where the device listens for datagrams. With another kind, for those who ask for `--channel udp`.
    case udp
}

/// `[channel.udp]`
enum UDPKey: String, PlatformKey {
    /// `"udp:HOST"` or `"udp:HOST:PORT"`; the port is 1337 by default. An IPv6 address stands in brackets.
    case endpoint
}

/// `[channel.rtt]`
enum RTTKey: String, PlatformKey {
    /// List of regions of RAM that are searched for the control block, and in which its rings must lie.
    case ram
    /// Numbers of the channels that carry the device protocol, to the host and from it: 0 to 254, default 0.
    case up, down
    /// Number of the channel to the host with the log; default: it shares `up`.
    case log
}

/// `[channel.usb]`: what is said must be so of the device, and `vendor`, `serial` or `interface` must be
/// said.
enum USBKey: String, PlatformKey {
    /// idVendor and idProduct of the device with its new firmware: 0x1209. A product needs a vendor.
    case vendor, product
    /// The device's serial number, or the place where it is plugged in, `1-2.4`, where one board is meant and
    /// no other of its kind.
    case serial
    /// The interface's string.
    case interface
}

/// `[probe]`, for real boards with a usual GDB server.
enum ProbeKey: String, PlatformKey {
    /// `"tcp:HOST:PORT"`, also without `tcp:`, or `"unix:PATH"`
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
    /// List of `"x509"` and `"cwt"`; default both. None in the list: nothing is signed.
    case types
    /// Days, 1 to 36500; default: no expiry.
    case validityDays = "validity-days"
    /// Whether the device gets the certificates that it may trust; default false.
    case trustAnchors = "trust-anchors"
}

/// `[timeouts]`, in milliseconds, 1 to 3600000: `boot-ms` and so on, see `Timeout`.
struct TimeoutsKey: PlatformKey {
    let timeout: Timeout

    static let allCases = Timeout.allCases.map(TimeoutsKey.init)

    private init(_ timeout: Timeout) { self.timeout = timeout }

    init?(rawValue: String) {
        guard let key = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = key
    }

    var rawValue: String { timeout.key }
}
