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
        if let reason = Attachment.obstacle(isDatagram: route is UDPRoute, framing) {
            throw ProvisioningError(
                .usage, "\(platform.name) cannot be attached to: \(reason)",
                hint: "has it a console on another port? name it with --port, and --framing console"
            )
        }
        return try openChannel()
    }
}
