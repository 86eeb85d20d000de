import Channels
import Foundation
import Provisioning

/// The console: the device's log, and what the user types.
struct Attachment {
    private let session: Session

    init(_ session: Session) { self.session = session }

    /// What the device said since its start, then what it says, until the user leaves. Leaving is how
    /// an attached run ends well, by key or by signal.
    ///
    /// - Parameter watch: sees what the device sends. Nothing is sent to one that is watched.
    func run(_ channel: any Channel, watch: KeyWatch? = nil) throws {
        var watch = watch
        let isWatched = watch != nil
        (channel as? RTTChannel)?.isTerminal = true
        let console = Console(
            channel: channel, input: isWatched ? nil : 0, output: 1,
            interruption: session.interruption
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
