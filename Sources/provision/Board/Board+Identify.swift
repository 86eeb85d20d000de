import Attestation
import Channels
import Platforms
import Provisioning

// How the board's ID is read without the firmware's help.
extension Board {
    /// What reads the device ID out of band; nil where the platform, or the desk, has none.
    ///
    /// A GDB server that the user or the platform names comes first, then OpenOCD's Tcl port, then the tool
    /// of the platform file. Where the file says nothing, an adapter is asked.
    func deviceIDReader() throws(ProvisioningError) -> (any DeviceIDReader)? {
        guard let probed = platform.probedID else {
            return platform.adapter == nil ? nil : try adapterIDReader()
        }
        if let location = probed.location {
            if let probe = try probe() { return probe }
            if case .openOCD(let address) = try PortAddress(connection, of: platform) {
                return openOCDRoute(to: address).idReader(of: location)
            }
        }
        guard let command = probed.command else { return nil }
        if let obstacle = try obstacle(to: command) {
            reporter.noted("the chip's ID is not read: \(obstacle)")
            return nil
        }
        func reader(at port: String?) -> CommandIDReader {
            CommandIDReader(
                command, location: probed.location, values: toolValues(port: port),
                directory: packagePath, timeout: platform.timeouts[.probe],
                interruption: interruption)
        }
        guard command.placeholders.contains(.port) else {
            return reader(at: connection.serialPort)
        }
        let serial = try toolRoute()
        // Which one it is, is known only while no other has taken its name.
        _ = try serial.choosePort()
        return PortIDReader { [isFlashing] () throws(ProvisioningError) in
            reader(at: try serial.awaitPort(isFlashed: isFlashing))
        }
    }

    /// Why the tool can't be asked, or must not be; nil: it can.
    private func obstacle(
        to command: DeviceIDCommand
    ) throws(ProvisioningError) -> String? {
        switch log {
        case .standardInput?, .path?, .socket?, .listener?:
            return "whoever prints the log may hold the probe"
        case .channel?, .flasher?, nil: break
        }
        let values = toolValues(port: connection.serialPort)
        let missing = command.placeholders.subtracting(values.keys).map(\.rawValue).sorted()
        guard missing.isEmpty else { return "no {\(missing.joined(separator: "}, {"))} is known" }
        if command.placeholders.contains(.port) {
            // A chip's own loader tells it, and for that the firmware is left.
            guard isFlashing else { return "it would restart the board, and nothing is flashed" }
            guard connection.serialPort?.hasPrefix("/") == true else {
                return "it takes a serial port"
            }
        }
        let program = try command.command.program(with: values)
        guard Command([program], directory: packagePath).isInstalled else {
            return "\(program) is not installed"
        }
        return nil
    }

    /// Whether this is the board that the user means, before anything is done to it.
    ///
    /// - Throws: `.idMismatch` if it is another one; `.usage` where nobody reads its ID without the
    ///   firmware's help.
    func checkDevice() throws(ProvisioningError) {
        guard let wanted = connection.device else { return }
        guard let reader = try deviceIDReader() else {
            throw ProvisioningError(
                .usage,
                "--device \(wanted): nothing here reads the ID of a \(platform.name) without its "
                    + "firmware's help",
                hint: "choose the board by --port, --usb-serial or --probe-serial; provision "
                    + "run compares the ID once the firmware tells it")
        }
        _ = try reader.readDeviceID(expecting: wanted)
    }

    /// What the user has to know of `--device` where the ID is compared only when the board is flashed.
    /// An image is safe on any board; a key that is erased does not come back.
    ///
    /// - Parameter reader: what reads the ID beforehand.
    func checkDeviceIsRead(
        by reader: (any DeviceIDReader)?, erasing: Bool
    ) throws(ProvisioningError) {
        guard isFlashing, reader == nil, let wanted = connection.device else { return }
        let reason =
            "--device \(wanted): nothing here reads the ID of a \(platform.name) before it is "
            + "flashed"
        guard !erasing else {
            throw ProvisioningError(
                .usage, reason + ", and another board's keys would be erased",
                hint: "leave --erase away, or choose the board by --port, --usb-serial or "
                    + "--probe-serial instead of --device")
        }
        reporter.remarked(reason + "; it is compared once the firmware tells it")
    }
}

/// Reads the ID through the board's serial port, which may have another name once the board is flashed.
private struct PortIDReader: DeviceIDReader {
    let reader: () throws(ProvisioningError) -> CommandIDReader

    func readDeviceID() throws(ProvisioningError) -> DeviceID { try reader().readDeviceID() }
}
