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
    /// - Parameter limit: until the device takes what is typed.
    func run(_ channel: any Channel, typingWithin limit: Duration) throws {
        (channel as? RTTChannel)?.isTerminal = true
        let console = Console(
            channel: channel, input: 0, output: 1, writeTimeout: limit,
            interruption: session.interruption)
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
        if case .outputFailed(let error) = try console.run() { throw Terminal.unwritable(error) }
        Terminal.standardError.write("\ndetached from \(name)\n")
    }
}
