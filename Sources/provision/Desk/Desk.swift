import Channels
import Platforms
import Provisioning

/// What is plugged in, and which platform each thing is, as far as USB tells.
struct Desk: Sendable {
    let devices: [AttachedDevice]
    let platforms: [Platform]
    /// Emulated boards that run, where one of them may be meant.
    let running: [RunningInstance]

    /// A device, and what it agrees with.
    struct Board: Sendable {
        let device: AttachedDevice
        let matches: [Match]
    }

    struct Match: Sendable {
        let platform: Platform
        /// What agrees, for people.
        let reason: String
    }

    /// - Parameter platforms: that are asked for, or all that there are.
    init(
        platforms: [Platform], devices: [AttachedDevice] = AttachedDevice.list(),
        running: [RunningInstance] = []
    ) {
        self.platforms = platforms
        self.devices = devices
        self.running = running
    }

    /// Of one platform: what is emulated is on no cable.
    ///
    /// - Parameter stateDirectory: below which emulated boards run; nil: none of them is meant.
    init(of platform: Platform, stateDirectory: String?) {
        let isEmulated = platform.emulation != nil
        self.init(
            platforms: [platform], devices: isEmulated ? [] : AttachedDevice.list(),
            running: isEmulated ? stateDirectory.map(RunningInstance.list) ?? [] : [])
    }

    /// Whatever has a serial port, is a debug probe, or is a board of one of the platforms.
    var boards: [Board] {
        devices.map { Board(device: $0, matches: matches($0)) }
            .filter { !$0.device.ports.isEmpty || $0.device.isProbe || !$0.matches.isEmpty }
    }

    private func matches(_ device: AttachedDevice) -> [Match] {
        platforms.compactMap { platform in
            reason(for: device, as: platform).map { Match(platform: platform, reason: $0) }
        }
    }

    /// Why `device` is a board of `platform`; nil: it is none. Where what [match] describes is attached, as a debug
    /// probe, the board's own USB beside it is no second board.
    func reason(for device: AttachedDevice, as platform: Platform) -> String? {
        if let match = platform.match(device) { return match.reason }
        guard let reason = platform.channelReason(for: device),
            !devices.contains(where: { platform.match($0) != nil })
        else { return nil }
        return reason
    }

    /// Whether no other device has its serial number: some makers give all boards the same.
    func isOnly(_ device: AttachedDevice) -> Bool {
        guard let number = device.usb?.serialNumber else { return false }
        return devices.count { $0.hasSerialNumber(number) } == 1
    }

    /// The options that mean `device` and no other; nil: there are none.
    func option(for device: AttachedDevice) -> String? {
        if isOnly(device), let number = device.usb?.serialNumber { return "--usb-serial \(number)" }
        return device.ports.first.map { "--port \($0.path)" }
    }

    /// The first of many names, and how many more there are.
    static func brief(_ names: [String], separator: String) -> String {
        guard names.count > 4 else { return names.joined(separator: separator) }
        return names.prefix(3).joined(separator: separator)
            + "\(separator)\(names.count - 3) more"
    }

    /// `/dev/ttyACM0 (0d28:0204 "BBC micro:bit CMSIS-DAP" 9900… at 1-2)`
    static func name(of device: AttachedDevice) -> String {
        let ports = device.ports.map(\.path).joined(separator: " and ")
        guard let usb = device.usb else { return ports }
        let place = usb.location.map { " at \($0)" } ?? ""
        return ports.isEmpty ? "\(usb)\(place)" : "\(ports) (\(usb)\(place))"
    }
}

extension Desk.Board {
    /// With what it matches: `/dev/ttyACM0 (…) is a microbit`.
    var account: String {
        let name = Desk.name(of: device)
        guard !matches.isEmpty else { return "\(name) matches no platform" }
        return "\(name) matches " + Desk.brief(matches.map(\.platform.name), separator: " and ")
    }
}
