import Platforms
import Provisioning

/// How one board's firmware is reached. One for each kind of channel; `Board` chooses.
protocol ChannelRoute: AnyObject {
    /// Looks whether the channel can be had, before the board is flashed and the answer comes too late.
    /// Changes nothing on the board.
    func check() throws(ProvisioningError)

    /// Opens it.
    ///
    /// - Parameter isFlashed: this run flashed the board: what speaks there may only be starting, and may
    ///   come back in another place.
    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel

    /// `error`, with what this kind of channel knows about why a board did not answer.
    func explained(_ error: ProvisioningError, isFlashed: Bool) -> ProvisioningError
}

extension ChannelRoute {
    func explained(_ error: ProvisioningError, isFlashed: Bool) -> ProvisioningError { error }
}
