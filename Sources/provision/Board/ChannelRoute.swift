import Platforms
import Provisioning

/// How one board's firmware is reached. One for each kind of channel; `Board` chooses.
protocol ChannelRoute: AnyObject {
    /// Refuses what is not there and can't come, before the run makes anything of its own. Opens nothing: that
    /// alone restarts some boards.
    ///
    /// - Parameter isFlashing: this run will flash the board: a port may come with its new firmware.
    func checkPresence(isFlashing: Bool) throws(ProvisioningError)

    /// Looks whether the channel can be had, before the board is flashed and the answer comes too late.
    /// Changes nothing on the board.
    func check() throws(ProvisioningError)

    /// Opens it already now, for `open` to return, so that a device that speaks once at its start is heard: the
    /// image is written, and the device is about to start. Nothing where its port comes only with the firmware.
    ///
    /// - Parameter port: of an emulated board that is only just being started.
    func listen(at port: String?) throws(ProvisioningError)

    /// Opens it.
    ///
    /// - Parameter isFlashed: this run flashed the board: what speaks there may only be starting, and may
    ///   come back in another place.
    func open(isFlashed: Bool) throws(ProvisioningError) -> any Channel

    /// `error`, with what this kind of channel knows about why a board did not answer.
    func explained(_ error: ProvisioningError, isFlashed: Bool) -> ProvisioningError
}

extension ChannelRoute {
    func checkPresence(isFlashing: Bool) throws(ProvisioningError) {}

    func listen(at port: String?) throws(ProvisioningError) {}

    func explained(_ error: ProvisioningError, isFlashed: Bool) -> ProvisioningError { error }
}
