import Channels
import Platforms
import Provisioning

// What a board's user sees of its firmware.
extension Board {
    /// Refuses, with nothing opened, what is not there.
    ///
    /// - Throws: `.usage` where this channel carries no text.
    func checkConsole() throws(ProvisioningError) {
        let route = try chosenRoute()
        if let reason = Attachment.obstacle(isDatagram: route is UDPRoute, framing) {
            throw ProvisioningError(
                .usage, "\(platform.name) cannot be attached to: \(reason)",
                hint: "has it a console on another port? name it with --port, and --framing console"
            )
        }
        try checkPresence(isFlashing: false)
    }

    /// What the firmware prints on, and nothing is asked on: no rate is looked for.
    func openConsole() throws(ProvisioningError) -> any Channel {
        (try chosenRoute() as? SerialRoute)?.asksForRate = false
        return try openChannel()
    }
}
