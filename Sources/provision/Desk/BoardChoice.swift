import Channels
import Platforms
import Provisioning

/// Which board a command is for, and how it is reached: what the user said, completed by what USB tells.
struct BoardChoice: Sendable {
    let platform: Platform
    /// With the port, the place and the probe's serial number, where they were found.
    let connection: Connection
    let scope: Scope
    /// What flashes in the place of the platform's flash step; nil: that one does.
    let given: GivenFlash?
    /// What the user did not say and should know; nil: nothing.
    let remark: String?

    /// Among which serial ports the board's may be, also when it comes back under another name.
    enum Scope: Sendable {
        case any
        /// Of what is plugged in at the same place.
        case device(AttachedDevice)
        /// Of whatever the platform file describes.
        case matches([USBMatch])

        func admits(_ port: SerialPortDescription) -> Bool {
            switch self {
            case .any: true
            case .device(let device):
                if let place = device.usb?.location {
                    port.usb?.location == place
                } else {
                    device.ports.contains(port)
                }
            case .matches(let rules):
                port.usb.map { usb in rules.contains { $0.reason(for: usb) != nil } } ?? false
            }
        }
    }

    init(
        _ platform: Platform, _ connection: Connection, _ scope: Scope = .any,
        given: GivenFlash? = nil, remark: String? = nil
    ) {
        // The user knows better how long something takes.
        self.platform = platform.with(timeouts: connection.link.timeouts)
        self.connection = connection
        self.scope = scope
        self.given = given
        self.remark = remark
    }

    /// How an image gets into the board.
    var flash: Platform.Flash { given?.step(on: platform) ?? platform.flash }

    /// USB numbers of the board's probe, where USB shows which it is.
    var probeNumbers: String? {
        guard case .device(let device) = scope, device.isProbe else { return nil }
        return device.usb?.numbers
    }
}

extension Desk {
    /// - Parameters:
    ///   - platform: that the user named; nil: USB has to tell.
    ///   - isFlashing: whether a flash tool will be run.
    ///   - given: the one that the user gave; nil: the platform's.
    ///   - usesChannel: whether a board that is emulated has to run: not for its log in a file.
    /// - Throws: `.boardUnknown` and `.boardAmbiguous`, which list what is there and how each is chosen;
    ///   `.usage` for options that contradict each other.
    func choice(
        _ platform: Platform?, _ connection: Connection, isFlashing: Bool,
        given: GivenFlash? = nil, usesChannel: Bool = true
    ) throws(ProvisioningError) -> BoardChoice {
        if let platform, platform.emulation != nil {
            guard connection.usbSerial == nil else {
                throw ProvisioningError(
                    .usage, "\(platform.name) is emulated and has no USB serial number",
                    hint: "choose one of several by --instance NAME")
            }
            try given?.check(platform, connection)
            // What is flashed starts anew, with the new firmware.
            let reached =
                isFlashing || !usesChannel
                ? connection : try reachingRunning(platform, connection)
            let remark = reached.foundPort.map { port in
                "\(reached.instance ?? platform.name) is running, at \(port)"
            }
            return BoardChoice(platform, reached, given: given, remark: remark)
        }
        guard let device = try device(for: platform, connection) else {
            guard let platform else { throw unknown(connection) }
            let scope: BoardChoice.Scope =
                connection.port != nil || platform.usbMatches.isEmpty
                ? .any : .matches(platform.usbMatches)
            return BoardChoice(platform, connection, scope, given: given)
        }
        return try choice(
            of: device, platform, connection, isFlashing: isFlashing, given: given)
    }

    /// The board behind `device`.
    ///
    /// - Parameter platform: nil: the only one that the device agrees with.
    func choice(
        of device: AttachedDevice, _ platform: Platform?, _ connection: Connection,
        isFlashing: Bool, given: GivenFlash? = nil
    ) throws(ProvisioningError) -> BoardChoice {
        if let platform {
            return try reached(
                device, platform, connection, isFlashing: isFlashing, given: given,
                remark: disagreement(of: device, with: platform))
        }
        let match = try onlyMatch(of: device)
        return try reached(
            device, match.platform, connection, isFlashing: isFlashing, given: given,
            remark: "\(Self.name(of: device)) is a \(match.platform.name): \(match.reason)")
    }

    /// The device that is meant; nil: none that is listed here, and the user or the platform may know better.
    private func device(
        for platform: Platform?, _ connection: Connection
    ) throws(ProvisioningError) -> AttachedDevice? {
        if let port = connection.port {
            let device = devices.first { $0.hasPort(port) }
            if let number = connection.usbSerial, device?.hasSerialNumber(number) != true {
                throw ProvisioningError(
                    .usage,
                    "\(port) is not of the board with the USB serial number \(number)"
                        + (device.map { ", but \(Self.name(of: $0))" } ?? ""),
                    hint: "leave one of --port and --usb-serial away")
            }
            return device
        }
        // A board's own USB is looked for where it is opened, by its interface and its serial number.
        if let platform, connection.channel(of: platform) == .usb { return nil }
        if let number = connection.usbSerial {
            guard let device = try only(number, "USB serial number", among: boards.map(\.device))
            else { throw unknown(connection) }
            return device
        }
        if let number = connection.probeSerial {
            // A tool may know probes that USB does not show here.
            return try only(number, "probe serial number", among: devices.filter(\.isProbe))
        }
        // Of a GDB server's board that is read through it, USB says nothing.
        if let platform, connection.probe != nil, connection.channel(of: platform) != .uart {
            return nil
        }
        return try onlyBoard(of: platform, connection)
    }

    private func only(
        _ number: String, _ kind: String, among devices: [AttachedDevice]
    ) throws(ProvisioningError) -> AttachedDevice? {
        let found = devices.filter { $0.hasSerialNumber(number) }
        guard found.count > 1 else { return found.first }
        throw ProvisioningError(
            .boardAmbiguous,
            "\(found.count) boards have the \(kind) \(number): "
                + found.map(Self.name).joined(separator: ", "),
            hint: "choose one by its port: "
                + found.compactMap { $0.ports.first.map { "--port \($0.path)" } }
                .joined(separator: " or "))
    }

    /// The only one that agrees with the platform, or with any; nil where the platform says nothing of USB,
    /// or the board may come with its first firmware.
    private func onlyBoard(
        of platform: Platform?, _ connection: Connection
    ) throws(ProvisioningError) -> AttachedDevice? {
        if let platform, platform.usbMatches.isEmpty { return nil }
        let found = boards.filter { board in
            board.matches.contains { platform == nil || $0.platform.name == platform?.name }
        }
        if found.count > 1 { throw ambiguous(found, platform) }
        if let only = found.first { return only.device }
        guard let platform, boards.contains(where: { !$0.device.ports.isEmpty }) else { return nil }
        // Whoever reads RTT needs no port.
        guard connection.channel(of: platform) == .uart else { return nil }
        throw unknown(connection, platform)
    }

    private func onlyMatch(of device: AttachedDevice) throws(ProvisioningError) -> Match {
        let matches = boards.first { $0.device == device }?.matches ?? []
        guard matches.count == 1 else {
            let options = matches.map { "--platform \($0.platform.name)" }
            guard !matches.isEmpty else {
                throw ProvisioningError(
                    .boardUnknown, "\(Self.name(of: device)) matches no platform",
                    hint: "name one with --platform; provision platforms lists them")
            }
            throw ProvisioningError(
                .boardAmbiguous,
                "\(Self.name(of: device)) matches "
                    + Self.brief(matches.map(\.platform.name), separator: " and "),
                hint: "choose one: \(Self.brief(options, separator: " or "))"
                    + (options.count > 4 ? "; provision platforms match lists all" : ""))
        }
        return matches[0]
    }

    private func reached(
        _ device: AttachedDevice, _ platform: Platform, _ connection: Connection,
        isFlashing: Bool, given: GivenFlash?, remark: String?
    ) throws(ProvisioningError) -> BoardChoice {
        var connection = connection
        if device.isProbe, isOnly(device), connection.probeSerial == nil, connection.probe == nil {
            connection.probeSerial = device.usb?.serialNumber
        }
        if connection.port == nil,
            usesPort(platform, connection, isFlashing: isFlashing, given: given)
        {
            connection.foundPort = try port(of: device, platform)
        }
        if connection.port == nil, connection.channel(of: platform) == .usb {
            connection.foundPlace = place(of: device, platform)
        }
        if isFlashing { try checkThatFlashingSelects(device, platform, connection, given) }
        // What the user named by its path stays what it is, also where USB does not show it.
        return BoardChoice(
            platform, connection, .device(device), given: given, remark: remark)
    }

    /// Where the board's own USB is. Nil where `device` is not it: a probe, or a bridge to a serial port, is
    /// plugged in beside it.
    private func place(of device: AttachedDevice, _ platform: Platform) -> String? {
        guard let usb = device.usb, let selection = platform.channel.usb else { return nil }
        let isBoard =
            switch (selection.vendorID, device.isProbe) {
            case (usb.vendorID, true): selection.productID == usb.productID
            // A bootloader has another product number, in the same place.
            case (let vendorID?, _): vendorID == usb.vendorID
            case (nil, let isProbe): !isProbe && device.ports.isEmpty
            }
        return isBoard ? usb.location ?? usb.serialNumber : nil
    }

    /// Whether the firmware, or a tool, is reached through a serial port. Elsewhere the one that is there is the
    /// probe's, and nobody has to choose among several.
    private func usesPort(
        _ platform: Platform, _ connection: Connection, isFlashing: Bool, given: GivenFlash?
    ) -> Bool {
        if [.uart, .adapter].contains(connection.channel(of: platform)) { return true }
        guard isFlashing else { return false }
        let touches = given == nil && platform.touchBaud != nil
        return touches || platform.probedID?.command?.placeholders.contains(.port) == true
            || (given?.step(on: platform) ?? platform.flash).placeholders.contains(.port)
    }

    /// Nil: it has none now.
    private func port(
        of device: AttachedDevice, _ platform: Platform
    ) throws(ProvisioningError) -> String? {
        if let rule = platform.match(device)?.rule, let port = rule.port(of: device) {
            return port.path
        }
        guard device.ports.count > 1 else { return device.ports.first?.path }
        throw ProvisioningError(
            .boardAmbiguous,
            "\(Self.name(of: device)) has \(device.ports.count) serial ports",
            hint: "choose one: "
                + device.ports.map { "--port \($0.path)" }.joined(separator: " or "))
    }

    private func disagreement(of device: AttachedDevice, with platform: Platform) -> String? {
        guard !platform.usbMatches.isEmpty, platform.match(device) == nil,
            platform.channelReason(for: device) == nil
        else { return nil }
        return "note: \(Self.name(of: device)) is not what the platform \(platform.name) describes"
    }
}
