import Channels
import Foundation
import Platforms
import Provisioning
import SMP

/// The console: the device's log, and what the user types.
struct Attachment {
    private let session: Session

    private let choice: BoardChoice

    init(_ session: Session, _ choice: BoardChoice) {
        (self.session, self.choice) = (session, choice)
    }

    /// Why such a channel carries no text; nil where it does.
    static func obstacle(isDatagram: Bool, _ framing: SMPFraming) -> String? {
        if isDatagram { return "datagrams carry messages, and no text" }
        guard framing == .raw else { return nil }
        return "with the raw framing, the line carries messages, and no text"
    }

    /// What the device said since its start, then what it says, until the user leaves. Leaving is how
    /// an attached run ends well, by key or by signal.
    ///
    /// Behind a run on a channel without a console there is nothing to do.
    ///
    /// - Parameter watch: sees what the device sends. Nothing is sent to one that is watched.
    func run(_ channel: any Channel, watch: KeyWatch? = nil) throws {
        let framing = choice.connection.link.framing ?? choice.platform.channel.framing
        if let reason = Self.obstacle(isDatagram: channel.carriesDatagrams, framing) {
            return Terminal.standardError.remark("no console: \(reason)")
        }
        var watch = watch
        let isWatched = watch != nil
        (channel as? RTTChannel)?.isTerminal = true
        let console = Console(
            channel: channel, input: isWatched ? nil : 0, output: 1,
            writeTimeout: choice.platform.timeouts[.console], interruption: session.interruption
        ) { bytes in
            if let warning = watch?.push(bytes) { Terminal.standardError.warn(warning) }
        }
        let name = Table.printable(channel.name)
        Terminal.standardError.write(
            console.sendsKeys
                ? "attached to \(name); leave with Ctrl-C or Ctrl-]\n"
                : "attached to \(name), read-only; leave with Ctrl-C\n")
        for line in session.reporter.takeDeviceLog() {
            Terminal.standardOutput.write(line + "\n")
        }
        // Who sees nothing of the console would not know to leave it.
        if let error = Terminal.lossOfOutput { throw Terminal.unwritable(error) }
        do {
            if case .outputFailed(let error) = try console.run() {
                throw Terminal.unwritable(error)
            }
        } catch let error as ProvisioningError where error.code == .channelClosed {
            // A log comes to its end.
            guard channel is any DeviceLog else { throw error }
            guard (channel as? MonitorLog)?.hasFailed != true else { throw error }
            return Terminal.standardError.write("\n\(Table.printable(error.reason))\n")
        }
        Terminal.standardError.write("\ndetached from \(name)\n")
        // A tool that prints the log ends with who reads it.
        if let ending = (channel as? MonitorLog)?.end() {
            Terminal.standardError.write("\(name) \(ending)\n")
        }
    }
}
