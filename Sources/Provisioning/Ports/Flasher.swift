/// Puts an image on a board and starts it.
///
/// Implementers: check every status, read back what can be read back, leave the core running. With
/// `erasing`, the device's keys and credentials are gone afterwards. Throw `.flashFailed` or
/// `.flashMismatch`; `.probeUnavailable` when there is no board to flash.
public protocol Flasher {
    func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError) -> FlashReceipt

    /// The same with an image that only the flash tool knows: `west flash` finds its own. Not every
    /// flasher can.
    func flashOwnImage(erasing: Bool) throws(ProvisioningError) -> FlashReceipt

    /// Whether what was flashed is what `receipt` says: a tool may still read its image when `flash`
    /// returns. Called once the firmware has said something. No image: the tool's own.
    ///
    /// - Throws: `.flashFailed` if the image is another one than it was.
    func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError)
}

extension Flasher {
    public func flashOwnImage(erasing: Bool) throws(ProvisioningError) -> FlashReceipt {
        throw ProvisioningError(
            .usage, "there is no image to flash", hint: "name one with --firmware")
    }
}
