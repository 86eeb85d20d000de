internal import Attestation

extension Provisioner {
    /// Writes the image, reads it back, starts it. Nil where the plan has nothing to flash.
    func flash() throws(ProvisioningError) -> FlashReceipt? {
        guard plan.image != nil || plan.flashesOwnImage else { return nil }
        guard let flasher else {
            let image = plan.image.map { ", \($0.path)" } ?? ""
            throw ProvisioningError(
                .usage, "there is an image\(image), but the platform has no way to flash it",
                hint: "if the device runs it already: provision enroll")
        }
        // What is written over, or erased, on another board can't be brought back.
        if plan.device != nil { _ = try probe?.readDeviceID(expecting: plan.device) }
        observer.began(.flash)
        let receipt =
            if let image = plan.image {
                try flasher.flash(image, erasing: plan.erases)
            } else {
                try flasher.flashOwnImage(erasing: plan.erases)
            }
        observer.ended(.flash, receipt.summary(of: plan.image, erasing: plan.erases))
        return receipt
    }

    /// The device ID as the probe reads it, without the firmware's help. Nil where it cannot.
    func identify() throws(ProvisioningError) -> DeviceID? {
        guard let probe else { return nil }
        observer.began(.identify)
        let id = try probe.readDeviceID(expecting: plan.device)
        observer.ended(.identify, "the probe reads \(id)")
        return id
    }

    func checkSelected(_ id: DeviceID) throws(ProvisioningError) {
        guard let wanted = plan.device, wanted != id else { return }
        throw .anotherDevice(wanted, id)
    }
}

extension FlashReceipt {
    /// One line for a progress report.
    ///
    /// - Parameter image: nil: only the tool knows which one it was.
    public func summary(of image: FirmwareImage?, erasing: Bool) -> String {
        let amount = byteCount.map { "\($0) bytes" } ?? image?.path ?? "the tool's own image"
        let check = isVerified ? ", read back and compared" : ", not read back"
        return amount + check + (erasing ? ", keys erased" : "")
    }
}
