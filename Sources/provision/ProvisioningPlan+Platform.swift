import Platforms
import Provisioning

extension ProvisioningPlan {
    /// How a board of `platform` is asked: what its platform file says, unless the user said otherwise.
    ///
    /// - Parameter platform: with the time-outs that the user gave, as a `BoardChoice` has it.
    init(for platform: Platform, _ link: Connection.Link) {
        self.init()
        board = platform.board
        group = platform.channel.group
        framing = link.framing ?? platform.channel.framing
        smpVersion = link.smpVersion ?? platform.channel.smpVersion
        deadlines.boot = platform.timeouts.boot
        deadlines.answer = platform.timeouts.answer
        deadlines.signature = platform.timeouts.signature
        deadlines.conversation = platform.timeouts.conversation
        deadlines.write = platform.timeouts[.write]
    }
}
