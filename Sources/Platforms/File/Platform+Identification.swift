import Channels
import Provisioning

// The table of a platform file that says where the device ID is.
extension Platform {
    private enum IDSource: String, CaseIterable { case probe, firmware }

    /// Where the ID is: one answer, which a file gives as a whole.
    private static let placeKeys: Set<IdentifyKey> = [
        .from, .address, .length, .words, .order, .wordAccess,
    ]

    static func identification(
        _ root: PlatformSection<RootKey>
    ) throws(ProvisioningError) -> Identification? {
        guard let layered = try root.section(.identify, keys: IdentifyKey.self) else { return nil }
        let section =
            layered
            .replacing(placeKeys, with: [.address, .words])
            .replacing([.command, .format, .script], with: [.command])
            .replacing(Set(IdentifyKey.allCases), with: [.from])
        if try section.choice(.from, of: IDSource.self) == .firmware {
            for key in IdentifyKey.allCases
            where ![.from, .length].contains(key) && section.has(key) {
                throw section.invalid(
                    key, "\"from\" is \"firmware\", but there is \"\(key.rawValue)\"",
                    hint: "leave one of the two away: the firmware says the ID itself")
            }
            return .firmware(length: try section.integer(.length, in: 1...64))
        }
        let location = try location(section)
        let command = try command(section)
        if location == nil {
            // A tool can read any memory; of a board that does not say which, it reads none.
            if section.level(of: .command) == .tool, command?.format.isOfMemory == true {
                return nil
            }
            guard let command, !command.format.isOfMemory else { throw section.missing(.address) }
        }
        return .probe(ProbedID(location: location, command: command))
    }

    private static func location(
        _ section: PlatformSection<IdentifyKey>
    ) throws(ProvisioningError) -> DeviceIDLocation? {
        let order = try section.choice(.order, of: DeviceIDLocation.Order.self) ?? .memory
        let length = try section.integer(.length, in: 1...64)
        if let words = try section.integers(.words, in: addresses) {
            for key in [IdentifyKey.address, .wordAccess] where section.has(key) {
                throw section.invalid(
                    key, "there are \"words\", and \"\(key.rawValue)\" too",
                    hint: "leave one of the two away")
            }
            guard words.allSatisfy({ $0.isMultiple(of: 4) }) else {
                throw section.invalid(
                    .words, "\"words\" has an address that is no multiple of 4",
                    hint: "name the addresses of whole words")
            }
            guard
                let location = DeviceIDLocation(
                    words: words.map(UInt64.init), length: length, order: order)
            else {
                throw section.invalid(
                    length == nil ? .words : .length,
                    "\(words.count) words are \(4 * words.count) bytes; the ID has "
                        + (length.map(String.init) ?? "1 to 64"))
            }
            return location
        }
        guard let address = try section.integer(.address, in: addresses) else {
            for key in [IdentifyKey.length, .order, .wordAccess] where section.has(key) {
                throw section.missing(.address)
            }
            return nil
        }
        guard let length else { throw section.missing(.length) }
        let usesWordAccess = try section.boolean(.wordAccess) ?? false
        guard !usesWordAccess || (address.isMultiple(of: 4) && length.isMultiple(of: 4)) else {
            throw section.invalid(
                .wordAccess, "\"word-access\" needs an address and a length that are multiples of 4"
            )
        }
        return DeviceIDLocation(
            try section.range(address, length, .length), order: order,
            width: usesWordAccess ? .word : .any)
    }

    private static func command(
        _ section: PlatformSection<IdentifyKey>
    ) throws(ProvisioningError) -> DeviceIDCommand? {
        let allowed = toolPlaceholders.union([.address, .words, .length])
        guard
            let command = try section.command(.command, allowing: allowed.union([.script]))
        else {
            for key in [IdentifyKey.format, .script] where section.has(key) {
                throw section.missing(.command)
            }
            return nil
        }
        guard let format = try section.choice(.format, of: DeviceIDFormat.self) else {
            throw section.missing(.format)
        }
        let script = try section.templates(.script, allowing: allowed) ?? []
        guard script.isEmpty != command.placeholders.contains(.script) else {
            throw section.invalid(
                .script,
                script.isEmpty
                    ? "\"command\" takes a {script}, but there is no \"script\""
                    : "there is a \"script\", but \"command\" does not take it")
        }
        let all = script.reduce(command.placeholders) { $0.union($1.placeholders) }
        // With two boards attached, the other one's ID must not pass for this one's.
        guard !all.isDisjoint(with: [.probe, .port]) else {
            throw section.invalid(
                .command, "\"command\" takes neither {probe} nor {port}: it could read any board",
                hint: "give it the one by which it selects a board")
        }
        guard !format.isOfMemory || all.contains(.address) else {
            throw section.invalid(
                .command, "\"command\" does not take the {address}",
                hint: "write {address} where the tool expects one")
        }
        return DeviceIDCommand(command, format, script: script)
    }
}
