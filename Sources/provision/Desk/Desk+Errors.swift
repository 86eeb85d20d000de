import Channels
import Platforms
import Provisioning

extension Desk {
    /// A tool that is told neither port nor probe takes the board that it finds first.
    func checkThatFlashingSelects(
        _ device: AttachedDevice, _ platform: Platform, _ connection: Connection,
        _ given: GivenFlash?
    ) throws(ProvisioningError) {
        let rivals = devices.filter { $0 != device && reason(for: $0, as: platform) != nil }
        if let given { return try check(given, device, rivals, connection) }
        try checkServer(of: [device] + rivals, platform, connection)
        guard case .command(let commands) = platform.flash else { return }
        let named = commands.flash.placeholders
        let serial = device.isProbe ? device.usb?.serialNumber : connection.probeSerial
        if named.contains(.probe), let number = serial {
            let same = devices.filter { $0.isProbe && $0.hasSerialNumber(number) }
            guard same.count < 2 || named.contains(.port) else {
                throw ProvisioningError(
                    .boardAmbiguous,
                    "\(same.count) probes have the serial number \(number), and the flash command of "
                        + "\(platform.name) knows no other name: "
                        + same.map(Self.name).joined(separator: ", "),
                    hint: "unplug all but one of them")
            }
        } else if named.isDisjoint(with: [.port, .probe]), !rivals.isEmpty {
            throw ProvisioningError(
                .boardAmbiguous,
                "the flash command of \(platform.name) is told neither port nor probe, and "
                    + "\(rivals.count + 1) such boards are attached: "
                    + ([device] + rivals).map(Self.name).joined(separator: ", "),
                hint: "unplug all but one, or add {probe} or {port} to the command in the platform "
                    + "file")
        }
    }

    private func check(
        _ given: GivenFlash, _ device: AttachedDevice, _ rivals: [AttachedDevice],
        _ connection: Connection
    ) throws(ProvisioningError) {
        let serial = connection.probeSerial ?? device.usb?.serialNumber
        let ports = [connection.port].compactMap(\.self) + device.ports.map(\.path)
        guard !rivals.isEmpty, !given.selects(ports: ports, probeSerial: serial) else { return }
        throw ProvisioningError(
            .boardAmbiguous,
            "the flash command behind -- names neither port nor probe, and \(rivals.count + 1) such "
                + "boards are attached: "
                + ([device] + rivals).map(Self.name).joined(separator: ", "),
            hint: "unplug all but one, or add {probe} or {port} to the command")
    }

    /// The usual GDB server has one of the boards, whichever it found.
    private func checkServer(
        of found: [AttachedDevice], _ platform: Platform, _ connection: Connection
    ) throws(ProvisioningError) {
        guard found.count > 1, case .gdb = platform.flash, connection.probe == nil,
            let server = platform.probe
        else { return }
        throw ProvisioningError(
            .boardAmbiguous,
            "\(found.count) boards that match \(platform.name) are attached, and nothing says which of "
                + "them is behind \(server): " + found.map(Self.name).joined(separator: ", "),
            hint: "name the server of this board with --probe, or unplug the others")
    }

    func ambiguous(_ found: [Board], _ platform: Platform?) -> ProvisioningError {
        let what =
            platform.map { "\(found.count) attached boards match \($0.name): " }
            ?? "\(found.count) boards are attached: "
        let accounts = found.map { platform == nil ? $0.account : Self.name(of: $0.device) }
        let options = found.compactMap { option(for: $0.device) }
        return ProvisioningError(
            .boardAmbiguous, what + accounts.joined(separator: ", "),
            hint: "choose one: \(options.joined(separator: " or ")); or take --all")
    }

    /// Of `--all` without a platform.
    var noneOfAny: ProvisioningError {
        let there = boards.map(\.account)
        return ProvisioningError(
            .boardUnknown,
            "--all finds no board"
                + (there.isEmpty
                    ? ": none is attached"
                    : " that a platform describes: " + there.joined(separator: ", ")),
            hint: "connect them, or leave --all away and name each with --board; provision boards "
                + "shows what is attached")
    }

    /// What is there instead of what was asked for.
    func unknown(
        _ connection: Connection, _ platform: Platform? = nil
    ) -> ProvisioningError {
        let asked =
            if let number = connection.usbSerial {
                "nothing attached has the USB serial number \(number)"
            } else if let platform {
                "nothing attached matches \(platform.name)"
            } else if let port = connection.port {
                "nothing tells which board is at \(port)"
            } else {
                "no --platform is given, and USB does not tell"
            }
        let there = boards.map(\.account)
        return ProvisioningError(
            .boardUnknown,
            asked
                + (there.isEmpty ? ": no board is attached" : "; " + there.joined(separator: ", ")),
            hint: platform == nil && connection.usbSerial == nil
                ? "name the board with --platform; provision boards shows what is attached"
                : "connect the board, or choose its port with --port; provision boards shows what "
                    + "is attached")
    }
}
