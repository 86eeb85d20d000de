import Channels
import Provisioning
import SMP

// The tables of the channel: how the firmware is spoken to.
extension Platform {
    private enum StreamFraming: String, CaseIterable {
        case console, raw

        var framing: SMPFraming { self == .raw ? .raw : .console }
    }

    /// - Parameter isOptional: whether nothing needs a channel: then one is made of defaults.
    static func channel(
        _ root: PlatformSection<RootKey>, isOptional: Bool
    ) throws(ProvisioningError) -> ChannelSettings {
        guard let section = try root.section(.channel, keys: ChannelKey.self) else {
            guard isOptional || root.has(.adapter) else { throw root.missing(.channel) }
            return ChannelSettings(
                kind: root.has(.adapter) ? .adapter : .uart, baudRates: [115_200],
                flowControl: .none, reset: nil,
                framing: .console, smpVersion: nil, group: DeviceContract.standardGroup, rtt: nil,
                usb: nil, udp: nil)
        }
        let given = try section.choice(.kind, of: ChannelSettings.Kind.self)
        guard let kind = given ?? (root.has(.adapter) ? .adapter : nil) else {
            throw section.missing(.kind)
        }
        // SMP keeps the groups below 64 for itself.
        let group = try section.integer(.group, in: 64...65535).map(UInt16.init)
        let rtt = try rtt(section)
        guard kind != .rtt || rtt != nil else {
            throw section.invalid(
                .kind, "\"kind\" is \"rtt\", but there is no \"rtt\"",
                hint: "add [channel.rtt] with its \"ram\", or choose another \"kind\"")
        }
        let usb = try usb(section)
        guard kind != .usb || usb != nil else {
            throw section.invalid(
                .kind, "\"kind\" is \"usb\", but there is no \"usb\"",
                hint: "add [channel.usb] with its \"vendor\", or choose another \"kind\"")
        }
        let settings = ChannelSettings(
            kind: kind, baudRates: try section.integers(.baud, in: SerialPort.rates) ?? [115_200],
            flowControl: try section.choice(.flowControl, of: FlowControl.self) ?? .none,
            reset: try reset(section),
            framing: try section.choice(.framing, of: StreamFraming.self)?.framing ?? .console,
            smpVersion: try section.integer(.smpVersion, in: 1...2).map { $0 == 1 ? .v1 : .v2 },
            group: group ?? DeviceContract.standardGroup, rtt: rtt, usb: usb, udp: try udp(section))
        guard kind != .udp || !section.has(.framing) else {
            throw section.invalid(
                .framing, "\"kind\" is \"udp\", which has one message in each datagram",
                hint: "leave \"framing\" away")
        }
        guard settings.framing != .raw || settings.flowControl != .xonXOFF else {
            throw section.invalid(
                .flowControl,
                "with \"framing\" \"raw\", messages may contain the bytes of \"xon-xoff\"",
                hint: "choose another \"flow-control\", or leave \"framing\" away")
        }
        return settings
    }

    private static func reset(
        _ section: PlatformSection<ChannelKey>
    ) throws(ProvisioningError) -> ModemSequence? {
        guard let words = try section.words(.reset) else { return nil }
        do {
            return try ModemSequence.parse(words)
        } catch {
            throw section.invalid(.reset, error.reason, hint: error.hint)
        }
    }

    private static func udp(
        _ channel: PlatformSection<ChannelKey>
    ) throws(ProvisioningError) -> UDPEndpoint? {
        guard let section = try channel.section(.udp, keys: UDPKey.self) else { return nil }
        guard let endpoint = try section.string(.endpoint) else { throw section.missing(.endpoint) }
        do {
            return try UDPEndpoint(parsing: endpoint)
        } catch {
            throw section.invalid(.endpoint, error.reason, hint: error.hint)
        }
    }

    private static func usb(_ channel: PlatformSection<ChannelKey>) throws(ProvisioningError)
        -> USBSelection?
    {
        guard let section = try channel.section(.usb, keys: USBKey.self) else { return nil }
        let vendor = try section.integer(.vendor, in: 0...0xFFFF).map(UInt16.init)
        let product = try section.integer(.product, in: 0...0xFFFF).map(UInt16.init)
        guard product == nil || vendor != nil else { throw section.missing(.vendor) }
        // A string descriptor has room for 126 characters.
        let serial = try section.string(.serial, atMost: 126)
        let interface = try section.string(.interface, atMost: 126)
        guard vendor != nil || serial != nil || interface != nil else {
            throw section.missing(.vendor)
        }
        return USBSelection(
            vendorID: vendor, productID: product, serialNumber: serial, interface: interface)
    }
}
