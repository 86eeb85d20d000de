import ArgumentParser
import Channels
import Foundation
import Platforms
import Provisioning

struct PlatformsMatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match",
        abstract: "Which platforms the attached boards are, and why, or why not.",
        discussion: """
            USB's numbers, names and serial numbers are held against [match] of every platform file, and \
            against [channel.usb] of a board that is spoken to over USB. One that agrees is taken without \
            --platform; of several none is. Nothing is opened.

            EXAMPLES
              provision platforms match
              provision platforms match microbit            why it is, or is not, this board
            """)

    @Argument(
        help: "Only this board, and also what does not agree with it.",
        completion: .shellCommand("provision platforms --names"))
    var name: String?

    @OptionGroup var places: CatalogueOptions

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let catalogue = try places.catalogue()
        let platforms =
            try name.map { [try catalogue.platform(named: $0)] }
            ?? catalogue.entries().compactMap { try? $0.platform.get() }
        let account = MatchAccount(
            Desk(platforms: platforms), isOfOne: name != nil)
        if json { return try JSONDocument.print(account) }
        if account.devices.isEmpty { Terminal.standardError.remark("nothing is attached") }
        Terminal.standardOutput.write(account.text)
    }
}

/// Why what is attached is one platform's board, or several's, or none's.
struct MatchAccount: Encodable {
    struct Rule: Encodable {
        let platform: String
        /// Where the platform file is.
        let origin: String
        let matches: Bool
        /// What agrees, or what does not.
        let why: String
    }

    struct Device: Encodable {
        let name: String
        /// Nil: several, or none.
        let platform: String?
        let rules: [Rule]
    }

    let devices: [Device]

    /// - Parameter isOfOne: whether what does not match is told, too.
    init(_ desk: Desk, isOfOne: Bool) {
        let attached = isOfOne ? desk.devices.filter { $0.usb != nil } : desk.boards.map(\.device)
        devices = attached.map { device in
            let rules = desk.platforms.flatMap { Self.rules(of: $0, device, isOfOne, desk) }
            let matching = rules.filter(\.matches)
            return Device(
                name: Desk.name(of: device),
                platform: matching.count == 1 ? matching[0].platform : nil, rules: rules)
        }
    }

    private static func rules(
        of platform: Platform, _ device: AttachedDevice, _ isOfOne: Bool, _ desk: Desk
    ) -> [Rule] {
        func rule(_ matches: Bool, _ why: String) -> Rule {
            Rule(platform: platform.name, origin: platform.origin, matches: matches, why: why)
        }
        if let reason = desk.reason(for: device, as: platform) { return [rule(true, reason)] }
        guard isOfOne, let usb = device.usb else { return [] }
        var obstacles = platform.usbMatches.compactMap { $0.obstacle(for: usb) }
        if platform.channelReason(for: device) != nil {
            obstacles.append("USB \(usb.numbers) is in [channel.usb], and its probe is attached")
        } else if platform.isKnownByChannel, let selection = platform.channel.usb {
            obstacles.append("USB \(usb.numbers) is not \(selection) of [channel.usb]")
        }
        if obstacles.isEmpty { obstacles.append("its file has no [match]") }
        return obstacles.map { rule(false, $0) }
    }

    var text: String {
        devices.map { device in
            let lines = device.rules.map { rule in
                "  \(rule.matches ? "is" : "is no") \(rule.platform) (\(rule.origin)): \(rule.why)"
            }
            let verdict =
                device.platform.map { "so --platform \($0) need not be said" }
                ?? (device.rules.contains(where: \.matches)
                    ? "so one of them has to be named with --platform"
                    : "so it matches no platform")
            return ([device.name] + lines + ["  \(verdict)"])
                .map { Table.printable($0) + "\n" }.joined()
        }.joined()
    }
}
