public import Provisioning

/// Which board the host means: what the user said.
public struct BoardSelection: Sendable, Hashable {
    /// Folder of a simulated board, which stands for any other: `provision check` offers it.
    public let simulated: String?
    /// `--port`, `--probe`, `--probe-serial`, `--usb-serial`.
    public let port: String?
    public let probe: String?
    public let probeSerial: String?
    public let usbSerial: String?
}

/// A board in the hands of an adapter: the ports of `Provisioning`, as far as it has them.
public struct AdapterBoard {
    /// Nil: the adapter can't flash.
    public var flasher: (any Flasher)?
    /// Whether `flasher` erases keys and credentials when it is asked to.
    public var erases = false
    /// Nil: nothing reads the device ID but the firmware.
    public var idReader: (any DeviceIDReader)?
    /// Restarts the firmware. Nil: the adapter can't.
    public var reset: (() throws(ProvisioningError) -> Void)?
    /// The device's bytes.
    ///
    /// - Parameter isFlashed: this adapter flashed the board just now: its firmware may still be starting.
    public var openChannel: (_ isFlashed: Bool) throws(ProvisioningError) -> any Channel

    public init(
        openChannel: @escaping (_ isFlashed: Bool) throws(ProvisioningError) -> any Channel
    ) {
        self.openChannel = openChannel
    }

    var abilities: [AdapterAbility] {
        var abilities: [AdapterAbility] = []
        if flasher != nil { abilities.append(.flash) }
        if flasher != nil, erases { abilities.append(.erase) }
        if idReader != nil { abilities.append(.identify) }
        if reset != nil { abilities.append(.reset) }
        return abilities
    }
}
