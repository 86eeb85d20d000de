import Channels
import Foundation
import Provisioning

/// The console: the device's log, and what the user types.
struct Attachment {
    private let session: Session

    init(_ session: Session) { self.session = session }

    /// Until the user leaves. Leaving is how an attached run ends well.
    func run(_ channel: any Channel) throws {
        let console = Console(
            channel: channel, input: 0, output: 1, interruption: session.interruption)
        Terminal.standardError.write(
            console.sendsKeys
                ? "attached to \(channel.name); leave with Ctrl-C or Ctrl-]\n"
                : "attached to \(channel.name), read-only; leave with Ctrl-C\n")
        switch try console.run() {
        case .interrupted:
            throw ProvisioningError(.interrupted, "detached from \(channel.name)")
        case .detached, .deadlineReached, .outputClosed:
            Terminal.standardError.write("\ndetached from \(channel.name)\n")
        }
    }
}
