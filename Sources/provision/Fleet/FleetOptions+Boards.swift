import Channels
import Foundation
import Platforms
import Provisioning

extension FleetOptions {
    /// The boards that are meant, before any of them is touched.
    ///
    /// - Parameters:
    ///   - isFlashing: whether a flash tool will be run.
    ///   - given: the one that the user gave; nil: the platform's.
    ///   - devices: what is attached by then.
    ///   - running: emulated boards that run already.
    ///   - waiting: for those that `--board` names and that are not there yet; nil: nobody waits.
    /// - Throws: `.usage` for a board that is named twice, `.boardAmbiguous` for two that can't be told
    ///   apart, `.boardUnknown` where there is none.
    func boards(
        _ options: PlatformOptions, _ connection: Connection, isFlashing: Bool,
        given: GivenFlash? = nil,
        devices: @autoclosure () -> [AttachedDevice] = AttachedDevice.list(),
        running: [RunningInstance] = [], waiting: Interruption? = nil
    ) throws(ProvisioningError) -> [FleetBoard] {
        let named = try named(options, connection)
        if let waiting { try Self.wait(for: named, isFlashing: isFlashing, waiting) }
        let devices = devices()
        var choices: [BoardChoice] = []
        if all {
            let platforms = try options.consideredPlatforms(
                within: connection.link.timeouts[.connect])
            let platform = options.platform == nil ? nil : platforms.first
            if let platform, platform.emulation != nil {
                let desk = Desk(platforms: [platform], devices: [], running: running)
                choices = try emulated(platform, connection).map {
                    connection throws(ProvisioningError) in
                    try desk.choice(platform, connection, isFlashing: isFlashing, given: given)
                }
            } else {
                choices = try Desk(platforms: platforms, devices: devices)
                    .allChoices(platform, connection, isFlashing: isFlashing, given: given)
            }
        }
        for (platform, connection) in named {
            let desk = Desk(platforms: [platform], devices: devices, running: running)
            choices.append(
                try desk.choice(platform, connection, isFlashing: isFlashing, given: given))
        }
        for remark in choices.compactMap(\.remark) { Terminal.standardError.remark(remark) }
        let boards = choices.map(FleetBoard.init)
        try Self.checkPlaces(of: boards)
        return boards
    }

    /// Those that `--board` names.
    private func named(
        _ options: PlatformOptions, _ connection: Connection
    ) throws(ProvisioningError) -> [(platform: Platform, connection: Connection)] {
        let catalogue = try options.catalogue()
        var named: [(Platform, Connection)] = []
        for board in boards {
            let platform = try catalogue.platform(
                named: board.platform, orAskingWith: nil,
                within: connection.link.timeouts[.connect])
            var connection = connection
            (connection.port, connection.instance) = (board.port, board.instance)
            if let probe = board.probe {
                // One server has one name.
                connection.probe = try ProbeEndpoint(parsing: probe).description
            }
            named.append((platform, connection))
        }
        return named
    }

    /// All at once: who plugs them in needs not know in which order.
    private static func wait(
        for boards: [(platform: Platform, connection: Connection)], isFlashing: Bool,
        _ interruption: Interruption
    ) throws(ProvisioningError) {
        let start = ContinuousClock.now
        for (platform, connection) in boards {
            let awaited = try AwaitedPlace(
                connection, of: platform, among: { [platform] }, isFlashing: isFlashing)
            try awaited?.wait(since: start, interruption)
        }
    }

    private func emulated(
        _ platform: Platform, _ connection: Connection
    ) throws(ProvisioningError) -> [Connection] {
        guard let instances else {
            throw ProvisioningError(
                .usage, "--all is what is attached, and \(platform.name) is emulated",
                hint: "say how many with --instances, or which with --board \(platform.name):NAME")
        }
        return (1...instances).map { number in
            var connection = connection
            connection.instance = "\(platform.name)-\(number)"
            return connection
        }
    }

    /// No two boards in one place: what is meant for one would get to the other.
    private static func checkPlaces(of boards: [FleetBoard]) throws(ProvisioningError) {
        var owners: [String: FleetBoard] = [:]
        for board in boards {
            for place in board.places {
                guard let other = owners.updateValue(board, forKey: place) else { continue }
                guard other.name != board.name else {
                    throw ProvisioningError(
                        .usage, "the board \(board.name) is named twice",
                        hint: "name each board once")
                }
                throw ProvisioningError(
                    .boardAmbiguous,
                    "the boards \(other.name) and \(board.name) are both behind \(place)",
                    hint: "provision them one after the other")
            }
        }
    }
}

extension FleetBoard {
    init(_ choice: BoardChoice) {
        let (platform, connection) = (choice.platform, choice.connection)
        self.choice = choice
        var places: [String] = []
        if let port = connection.serialPort {
            // One that runs already is called as one that is started.
            name = connection.foundPort == nil ? port : connection.instance ?? port
            // One path may be a link to another; what is no path stays what it is.
            let node =
                port.contains("/") ? URL(filePath: port).resolvingSymlinksInPath().path : port
            places.append("the port \(node)")
        } else if let probe = connection.probe {
            name = probe
        } else if platform.emulation != nil {
            name = connection.instance ?? Emulator.instanceName(of: platform)
            places.append("the instance \(name)")
        } else {
            name = choice.usbPlace.map { "\(platform.name) at \($0)" } ?? platform.name
            places.append("the board \(name)")
        }
        if let serial = connection.probeSerial { places.append("the probe \(serial)") }
        if let probe = connection.probe {
            places.append("the probe \(probe)")
        } else if platform.emulation == nil, let probe = platform.probe {
            places.append("the probe \(probe)")
        }
        self.places = places
    }
}

extension BoardChoice {
    fileprivate var usbPlace: String? {
        guard case .device(let device) = scope else { return nil }
        return device.usb?.location ?? device.usb?.serialNumber
    }
}

extension Desk {
    /// Every attached board of the platform, or of any platform.
    fileprivate func allChoices(
        _ platform: Platform?, _ connection: Connection, isFlashing: Bool,
        given: GivenFlash?
    ) throws(ProvisioningError) -> [BoardChoice] {
        if let platform, platform.usbMatches.isEmpty, !platform.isKnownByChannel {
            throw ProvisioningError(
                .boardUnknown,
                "the platform \(platform.name) does not say how its boards are recognised",
                hint: "add [match] to its file, or name them with --board \(platform.name)@PORT")
        }
        let found = boards.filter { !$0.matches.isEmpty }
        guard !found.isEmpty else {
            throw platform == nil ? noneOfAny : unknown(connection, platform)
        }
        var choices: [BoardChoice] = []
        for board in found {
            choices.append(
                try choice(
                    of: board.device, platform, connection, isFlashing: isFlashing, given: given))
        }
        return choices
    }
}
