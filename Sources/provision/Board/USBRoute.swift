import Channels
import Platforms
import Provisioning

/// Bulk endpoints of a USB device, which leaves with its old firmware and comes back with the new one.
final class USBRoute: ChannelRoute {
    private let platform: Platform
    private let selection: USBSelection
    private let interruption: Interruption
    private let list: () -> [USBInterface]
    /// The one that was there before the board was flashed: then no other is meant.
    private var chosen: USBInterface?

    /// Between two looks for a device that is to come.
    private static let pause = Duration.milliseconds(50)

    /// - Parameter list: the interfaces of this moment.
    init(
        _ platform: Platform, selection: USBSelection, interruption: Interruption,
        list: @escaping () -> [USBInterface] = { USBInterface.list() }
    ) {
        self.platform = platform
        self.selection = selection
        self.interruption = interruption
        self.list = list
    }

    static func unknownDevice(_ platform: Platform) -> ProvisioningError {
        ProvisioningError(
            .usage, "the platform \(platform.name) does not say which USB device its board is",
            hint: "name it with --port usb:1209:0002, or in its file: [channel.usb]")
    }

    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {
        guard try find() != nil || isFlashing else { throw missing }
    }

    /// A device that isn't there may come with the new firmware.
    func check() throws(ProvisioningError) {
        chosen = try find()
        guard let chosen else { return }
        try openChannel(chosen).close()
    }

    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel {
        guard isFlashed else { return try open(until: nil) }
        let end = ContinuousClock.now + platform.timeouts[.port]
        return FollowedChannel(try open(until: end), until: end) {
            [self] () throws(ProvisioningError) in
            try open(until: end)
        }
    }

    /// - Parameter end: until when it may be away. Nil: it is there, or it is not.
    private func open(until end: ContinuousClock.Instant?) throws(ProvisioningError)
        -> any Channel
    {
        while true {
            do throws(ProvisioningError) {
                guard let found = try find() else { throw missing }
                return try openChannel(found)
            } catch {
                // The node of a device that just came is root's until udev has seen it.
                guard let end, error.code == .channelUnavailable, .now < end else { throw error }
                try interruption.pause(for: Self.pause)
            }
        }
    }

    private func openChannel(_ interface: USBInterface) throws(ProvisioningError) -> USBBulkChannel
    {
        try USBBulkChannel(
            interface, requestTimeout: platform.timeouts[.write], interruption: interruption)
    }

    /// Nil if it is not there.
    ///
    /// - Throws: `.channelUnavailable` where several may be meant.
    private func find() throws(ProvisioningError) -> USBInterface? {
        var matching = list().filter(selection.matches)
        if let chosen { matching = matching.filter { Self.isSame($0.device, chosen.device) } }
        guard matching.count <= 1 else {
            throw ProvisioningError(
                .channelUnavailable,
                "\(matching.count) USB interfaces are \(selection): "
                    + matching.map(\.description).joined(separator: "; "),
                hint: "choose one by serial number or place: --port usb:"
                    + (matching[0].device.serialNumber ?? matching[0].device.location ?? ""))
        }
        return matching.first
    }

    /// At the same place, or the same serial number at another.
    private static func isSame(_ a: USBIdentity, _ b: USBIdentity) -> Bool {
        a.sharesPlace(with: b) == true
            || (a.serialNumber != nil && a.serialNumber == b.serialNumber
                && a.vendorID == b.vendorID)
    }

    private var missing: ProvisioningError {
        let others = list().map(\.description)
        return ProvisioningError(
            .channelUnavailable,
            "no USB device is \(selection), with a vendor interface of two bulk endpoints"
                + (others.isEmpty ? "" : "; attached are \(others.joined(separator: "; "))"),
            hint: "is the board plugged in, and does its firmware have that interface?")
    }
}
