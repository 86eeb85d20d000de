import Channels
import Platforms
import Provisioning

// What a board's user sees of its firmware.
extension Board {
    /// What the firmware prints on, and nothing is asked on: no rate is looked for.
    ///
    /// - Throws: `.usage` where this channel carries no text.
    func openConsole() throws(ProvisioningError) -> any Channel {
        let route = try chosenRoute()
        (route as? SerialRoute)?.asksForRate = false
        if let reason = lackOfConsole(isDatagram: route is UDPRoute) {
            throw ProvisioningError(
                .usage, "\(platform.name) cannot be attached to: \(reason)",
                hint: "has it a console on another port? name it with --port, and --framing console"
            )
        }
        return try openChannel()
    }

    /// The console behind a run, on the channel of the run. Without one, the run ends here.
    func attach(_ channel: any Channel, _ session: Session) throws {
        if let reason = lackOfConsole(isDatagram: channel.carriesDatagrams) {
            return Terminal.standardError.remark("no console: \(reason)")
        }
        try Attachment(session).run(channel, typingWithin: platform.timeouts[.console])
    }

    /// Why there is none. The probe's channels have a log of their own.
    private func lackOfConsole(isDatagram: Bool) -> String? {
        if isDatagram { return "datagrams carry messages, and no text" }
        guard framing == .raw else { return nil }
        return "with the raw framing, the line carries messages, and no text"
    }
}
