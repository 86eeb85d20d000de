import Channels
import Foundation
import Platforms
import Provisioning

/// What `provision boards` shows. It only looks.
struct BoardListing {
    let records: [Record]

    struct Record: Encodable, Equatable {
        struct Match: Encodable, Equatable {
            let platform: String
            let why: String
        }

        struct USB: Encodable, Equatable {
            /// Hexadecimal, four digits.
            let vendor: String
            let product: String
            let name: String?
            let serialNumber: String?
            /// The kernel's name for where it is plugged in.
            let location: String?
        }

        struct Holder: Encodable, Equatable {
            let process: Int32
            let command: String
        }

        /// Paths of serial ports.
        let ports: [String]
        let isProbe: Bool
        /// A running emulated board's GDB server.
        let probe: String?
        let usb: USB?
        /// Of an emulated board.
        let instance: String?
        let platforms: [Match]
        /// Programs that have a port or the probe.
        let heldBy: [Holder]
    }

    init(
        _ options: PlatformOptions, stateDirectory: String,
        devices: [AttachedDevice] = AttachedDevice.list()
    ) throws(ProvisioningError) {
        let platforms = try options.consideredPlatforms()
        let isAny = options.platform == nil
        let attached = Desk(platforms: platforms, devices: devices).boards
            .filter { isAny || !$0.matches.isEmpty }
            .map { Record($0, stateDirectory) }
        let running = RunningInstance.list(stateDirectory: stateDirectory)
            .filter { isAny || $0.endpoints?.platform == platforms[0].name }
            .map { Record($0, stateDirectory) }
        records = attached + running
    }

    /// What `--board` takes, where it means one board.
    var names: [String] {
        records.flatMap { record in
            guard record.platforms.count == 1, record.ports.count == 1 else { return [String]() }
            return [
                BoardName.text(
                    record.platforms[0].platform, port: record.ports[0], probe: record.probe)
            ]
        }
    }

    func serialNumbers(ofProbes: Bool) -> [String] {
        records.filter { !ofProbes || $0.isProbe }.compactMap { $0.usb?.serialNumber }
    }

    var text: String {
        var table = Table("PORT", "PLATFORM", "SERIAL NUMBER", "WHAT", "HELD BY", "WHY")
        for record in records {
            table.append(
                record.ports.isEmpty ? "-" : record.ports.joined(separator: " "),
                record.platforms.isEmpty
                    ? "-" : Desk.brief(record.platforms.map(\.platform), separator: " "),
                record.usb?.serialNumber ?? "-", record.what,
                record.heldBy.isEmpty
                    ? "-"
                    : record.heldBy.map { "\($0.command) (\($0.process))" }.joined(separator: " "),
                record.reasons.joined(separator: "; "))
        }
        return table.text
    }
}

extension BoardListing.Record {
    fileprivate init(_ board: Desk.Board, _ stateDirectory: String) {
        let device = board.device
        ports = device.ports.map(\.path)
        isProbe = device.isProbe
        probe = nil
        usb = device.usb.map(USB.init)
        instance = nil
        platforms = board.matches.map { Match(platform: $0.platform.name, why: $0.reason) }
        let claims = ports + (device.usb?.serialNumber.map { ["the probe \($0)"] } ?? [])
        heldBy = Self.holders(
            ports.compactMap(PortHolder.find)
                + claims.compactMap { BoardClaim.holder(of: $0, in: stateDirectory) })
    }

    fileprivate init(_ running: RunningInstance, _ stateDirectory: String) {
        ports = (running.endpoints?.port).map { [$0] } ?? []
        probe = running.endpoints?.probe
        isProbe = probe != nil
        usb = nil
        instance = running.instance
        platforms =
            (running.endpoints?.platform).map {
                [Match(platform: $0, why: "emulated by \(running.holder)")]
            } ?? []
        let claims = ports + (probe.map { ["the probe \($0)"] } ?? [])
        // Whoever plays the board has its port open, too, and keeps nobody from it.
        heldBy = Self.holders(
            ports.compactMap(PortHolder.findEavesdropper)
                + claims.compactMap { BoardClaim.holder(of: $0, in: stateDirectory) })
    }

    private static func holders(_ found: [PortHolder]) -> [Holder] {
        var holders: [Holder] = []
        for holder in found.map({ Holder(process: $0.processID, command: $0.command) })
        where !holders.contains(holder) {
            holders.append(holder)
        }
        return holders
    }

    /// Each once: a probe that many boards have agrees with all of them for one reason.
    fileprivate var reasons: [String] {
        var reasons: [String] = []
        for why in platforms.map(\.why) where !reasons.contains(why) { reasons.append(why) }
        return reasons
    }

    fileprivate var what: String {
        if let instance { return "the instance \(instance)" + (probe.map { ", \($0)" } ?? "") }
        guard let usb else { return "a serial port" }
        let name = usb.name ?? "\(usb.vendor):\(usb.product)"
        let place = usb.location.map { " at \($0)" } ?? ""
        return name + place + (isProbe ? ", a debug probe" : "")
    }
}

extension BoardListing.Record.USB {
    fileprivate init(_ identity: USBIdentity) {
        let numbers = identity.numbers.split(separator: ":").map(String.init)
        (vendor, product) = (numbers[0], numbers[1])
        name = identity.product
        serialNumber = identity.serialNumber
        location = identity.location
    }
}
