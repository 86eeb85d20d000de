import Channels
import Platforms
import Provisioning

/// A flash step of the user's in the place of the platform's: any command, behind `--`.
struct GivenFlash: Sendable {
    let command: CommandTemplate
    /// Whether the command goes on running and prints the device's log; nil: as the platform says.
    let printsLog: Bool?

    /// Whether the command finds or builds its image itself, and nobody says which one it is.
    var hasOwnImage: Bool { !command.placeholders.contains(.image) }

    /// What is done on a board of `platform`. Erasing stays the platform's: this command only flashes.
    func step(on platform: Platform) -> Platform.Flash {
        var commands = CommandFlasher.Commands(flash: command)
        var usesTerminal = false
        switch platform.flash {
        case .command(let own): commands.erase = own.erase
        case .monitor(let own, let ownTerminal):
            commands.erase = own.erase
            usesTerminal = ownTerminal
        case .gdb, .adapter, .none: break
        }
        let goesOn = printsLog ?? (platform.report?.source == .flasher)
        return goesOn ? .monitor(commands, usesTerminal: usesTerminal) : .command(commands)
    }

    /// - Throws: `.usage` where no command can put an image on what the run itself starts.
    func check(
        _ platform: Platform, _ connection: Connection
    ) throws(ProvisioningError) {
        guard platform.emulation != nil, connection.port == nil, connection.probe == nil else {
            return
        }
        throw ProvisioningError(
            .usage,
            "\(platform.name) is emulated by the run itself: there is nothing that a command could "
                + "flash",
            hint: "leave the command away; or start the board with provision emulate "
                + "\(platform.name), and name its --port")
    }

    /// Whether the command says which board it is for: by a placeholder, or by the name itself.
    func selects(ports: [String], probeSerial: String?) -> Bool {
        !command.placeholders.isDisjoint(with: [.port, .probe])
            || (ports + [probeSerial].compactMap(\.self)).contains { name in
                command.arguments.contains { $0.contains(name) }
            }
    }
}
