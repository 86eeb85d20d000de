import Channels
import Foundation
import Platforms
import Provisioning

/// What the user named and is not attached yet: it may just be about to be plugged in.
struct AwaitedPlace {
    private let name: Name
    /// How long it is waited for.
    private let limit: Duration
    private let listDevices: () -> [AttachedDevice]
    private let mayOpen: (String) -> Bool

    private enum Name {
        /// A serial port's path.
        case port(String)
        case interface(USBSelection)
        /// The serial number of a USB device, and whether it is of use without a serial port.
        case device(String, needsPort: (AttachedDevice) -> Bool)
    }

    /// Between two looks.
    private static let pause = Duration.milliseconds(50)
    /// How long what has come may be closed to the user: it is root's until udev has seen it. No time-out: what
    /// stays closed is refused by whoever opens it, who says why.
    private static let grace = Duration.seconds(2)

    /// Nil: it is there, or none is named that could come.
    ///
    /// - Parameters:
    ///   - platform: that the user named.
    ///   - platforms: what a device may be, where the user named none.
    ///   - isFlashing: whether a port may come with the new firmware: then it is looked for after that.
    ///   - given: what flashes in the place of the platform's flash step.
    ///   - listDevices: what is attached at a moment.
    ///   - mayOpen: whether the user may open what is at a path.
    /// - Throws: `.usage`, quoting a name that is none of its kind.
    init?(
        _ connection: Connection, of platform: Platform?,
        among platforms: () throws(ProvisioningError) -> [Platform], isFlashing: Bool,
        given: GivenFlash? = nil,
        listDevices: @escaping () -> [AttachedDevice] = { AttachedDevice.list() },
        mayOpen: @escaping (String) -> Bool = { access($0, R_OK | W_OK) == 0 }
    ) throws(ProvisioningError) {
        switch try PortAddress(connection, of: platform) {
        // A name without a folder is mistyped.
        case .path(let path) where !isFlashing && path.contains("/"):
            // In a folder that is none, nothing will ever be.
            guard access(path, F_OK) != 0, errno == ENOENT else { return nil }
            name = .port(path)
        case .usb(let selection) where !isFlashing: name = .interface(selection)
        case nil where platform?.emulation == nil:
            if let platform, connection.channel(of: platform) == .usb {
                guard !isFlashing, let usb = platform.channel.usb else { return nil }
                name = .interface(usb.selecting(connection.usbSerial))
            } else {
                guard let number = connection.usbSerial else { return nil }
                let candidates = if let platform { [platform] } else { try platforms() }
                name = .device(number) { device in
                    let desk = Desk(platforms: candidates, devices: [device])
                    let found = platform.map { [$0] } ?? desk.boards.first?.platforms ?? []
                    return found.contains { platform in
                        Self.needsPort(platform, connection, isFlashing: isFlashing, given)
                    }
                }
            }
        default: return nil
        }
        limit = (platform?.timeouts ?? Timeouts()).merging(connection.link.timeouts)[.port]
        self.listDevices = listDevices
        self.mayOpen = mayOpen
        guard nodes == nil else { return nil }
    }

    /// Whether nothing can be done without a serial port. One that comes with the new firmware, or with the touch
    /// before it is flashed, is looked for then.
    private static func needsPort(
        _ platform: Platform, _ connection: Connection, isFlashing: Bool, _ given: GivenFlash?
    ) -> Bool {
        guard isFlashing else { return connection.channel(of: platform) == .uart }
        guard given != nil || platform.touchBaud == nil else { return false }
        return (given?.step(on: platform) ?? platform.flash).placeholders.contains(.port)
    }

    /// What is to be opened of it. Nil: it is not there.
    private var nodes: [String]? {
        switch name {
        case .port(let path): return access(path, F_OK) == 0 ? [path] : nil
        case .interface(let selection):
            let nodes = USBInterface.list().filter(selection.matches).map(\.node)
            return nodes.isEmpty ? nil : nodes
        case .device(let number, let needsPort):
            guard let device = device(number), !device.ports.isEmpty || !needsPort(device) else {
                return nil
            }
            return device.ports.map(\.path)
        }
    }

    private func device(_ number: String) -> AttachedDevice? {
        listDevices().first { $0.hasSerialNumber(number) }
    }

    /// Until it is there, or its time is over: what it is refused for then is said by whoever needs it.
    ///
    /// - Parameters:
    ///   - start: since when its time runs, where several are waited for.
    ///   - note: tells the user that it is waited for.
    func wait(
        since start: ContinuousClock.Instant = .now, _ interruption: Interruption,
        note: (String) -> Void = { Terminal.standardError.remark($0) }
    ) throws(ProvisioningError) {
        let end = start + limit
        let late = ContinuousClock.now - start
        // In whole seconds, as nobody reads others.
        let rest = late < .seconds(1) ? limit : .seconds(max(0, Int((limit - late) / .seconds(1))))
        note("waiting \(rest.brief) for \(self); --timeout port=60s waits longer")
        var arrival: ContinuousClock.Instant?
        while true {
            let now = ContinuousClock.now
            if let nodes {
                let since = arrival ?? now
                arrival = since
                let isUsable = nodes.allSatisfy(mayOpen)
                if isUsable || now >= since + Self.grace { return }
            } else {
                arrival = nil
                guard now < end else { return }
            }
            try interruption.pause(for: Self.pause)
        }
    }
}

extension AwaitedPlace: CustomStringConvertible {
    /// As the user may have written it.
    var description: String {
        switch name {
        case .port(let path): "\(path) to be plugged in"
        case .interface(let selection): "the USB device \(selection) to be plugged in"
        case .device(let number, _):
            device(number) == nil
                ? "a USB device with the serial number \(number) to be plugged in"
                : "the serial port of the USB device with the serial number \(number)"
        }
    }
}

extension Desk.Board {
    fileprivate var platforms: [Platform] { matches.map(\.platform) }
}
