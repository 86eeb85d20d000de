import Channels
import Foundation
import Platforms
import Provisioning

/// What `--dry-run` prints: everything that is known before a board is touched.
struct RunPreview {
    private let command: RunCommand
    private let choice: BoardChoice
    private var platform: Platform { choice.platform }
    private let state: State

    init(_ command: RunCommand, _ choice: BoardChoice, _ state: State) {
        self.command = command
        self.choice = choice
        self.state = state
    }

    struct Line: Encodable {
        let step: String
        let action: String
    }

    func show(in document: ResultDocument) throws {
        let lines = try lines()
        var table = Table("STEP", "WOULD")
        for line in lines { table.append(line.step, line.action) }
        try document.show(["plan": lines], text: table.text)
    }

    func lines() throws -> [Line] {
        let build = FirmwareBuild(platform, packagePath: command.platform.packagePath)
        var lines: [Line] = []
        let image: String
        if let given = choice.given, given.hasOwnImage {
            image = command.step.ownImage(command.image.firmware)?.path ?? "an image of its own"
        } else if let firmware = command.image.firmware {
            image = firmware
        } else {
            image = try build.imagePath()
            if !command.image.noBuild {
                lines.append(
                    Line(step: "build", action: try build.command().description))
            }
        }
        lines.append(Line(step: "flash", action: flash(image)))
        if let probed = platform.probedID {
            let what = probed.location.map { "\($0)" } ?? "the chip's ID"
            let tool = probed.command.map { ", or by \($0.command.arguments[0])" } ?? ""
            lines.append(Line(step: "identify", action: "read \(what) through the probe" + tool))
        }
        if let log = try command.logs.source(for: choice, isFlashing: true) {
            return lines + report(log)
        }
        let types = command.credentials.credentials ?? platform.credentials.types
        lines += [
            Line(
                step: "evidence", action: "ask on \(channel)"),
            Line(step: "register", action: "record the key in \(state.directory.registry)"),
            Line(
                step: "issue",
                action: types.map(\.title).sorted().joined(separator: ", ")
                    + " from \(state.directory.authority)"),
            Line(step: "install", action: "deliver what the device does not hold"),
            Line(
                step: "attach",
                action: command.detach || command.output.json ? "no" : "until you leave"),
        ]
        return lines
    }

    /// With a device that can't be asked.
    private func report(_ log: LogSource) -> [Line] {
        let place =
            switch log {
            case .channel: channel
            case .flasher: "what the flash command prints"
            case .standardInput: "standard input"
            case .path(let path, _): path
            case .socket(let endpoint): endpoint.description
            case .listener(let host, let port): "what connects to port \(port) of \(host)"
            }
        var lines = [
            Line(step: "evidence", action: "wait for the report of a key on \(place)"),
            Line(step: "register", action: "record the key in \(state.directory.registry)"),
        ]
        if let types = command.credentials.credentials {
            lines.append(
                Line(
                    step: "issue",
                    action: types.map(\.title).sorted().joined(separator: ", ")
                        + " into \(command.logs.outputCredentials ?? "nothing")"))
        }
        lines.append(
            Line(
                step: "attach",
                action: command.detach || command.output.json ? "no" : "until you leave"))
        return lines
    }

    private var channel: String {
        let connection = choice.connection
        if let named = connection.port { return named }
        return switch connection.channel(of: platform) {
        case .uart: connection.foundPort ?? "the board's port"
        case .rtt: "RTT through the probe"
        case .adapter: "the adapter \(platform.adapter?.name ?? "")"
        case .udp: platform.channel.udp?.description ?? "the network"
        case .usb: "the USB device \(platform.channel.usb.map { "\($0)" } ?? "")"
        }
    }

    private func flash(_ image: String) -> String {
        let erasing = command.erase ? ", with the device's keys erased" : ""
        if let given = choice.given {
            let goesOn = if case .monitor = choice.flash { ", and go on" } else { "" }
            return "run \(Command(given.command.arguments)) on \(image)\(erasing)\(goesOn)"
        }
        switch platform.flash {
        case .gdb(let flash):
            return "write \(image) through the probe, read it back, \(flash.resetCommand)\(erasing)"
        case .monitor: return "run the platform's flash command on \(image)\(erasing), and go on"
        case .command: return "run the platform's flash command on \(image)\(erasing)"
        case .adapter:
            return "have the adapter \(platform.adapter?.name ?? "") flash \(image)\(erasing)"
        case .none: return "start \(image) as a process\(erasing)"
        }
    }
}
