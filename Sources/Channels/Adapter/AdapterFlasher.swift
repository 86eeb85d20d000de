import PlatformAdapter
public import Provisioning

/// Flashes by way of an adapter.
public struct AdapterFlasher: Flasher {
    private let session: AdapterSession
    private let progress: (Int, Int) -> Void

    /// - Parameter progress: bytes that are written, of how many; 0 where the adapter does not know.
    public init(_ session: AdapterSession, progress: @escaping (Int, Int) -> Void = { _, _ in }) {
        self.session = session
        self.progress = progress
    }

    /// The digest is of the file as the adapter could read it: if that changes meanwhile, flashing failed.
    ///
    /// - Throws: what the adapter says; `.flashFailed` also if it ends meanwhile.
    public func flash(_ image: FirmwareImage, erasing: Bool) throws(ProvisioningError)
        -> FlashReceipt
    {
        guard !erasing || session.abilities.contains(.erase) else {
            throw ProvisioningError(
                .flashFailed, "erasing was asked for, and \(session.name) can't erase",
                hint: "flash without --erase; the device keeps its key then")
        }
        let digest = try image.digest()
        let written: (byteCount: Int?, isVerified: Bool)
        do {
            written = try session.flash(image.path, erasing: erasing, progress: progress)
        } catch {
            // Whatever the board holds now, it is not the image.
            guard error.code == .adapterFailed else { throw error }
            throw ProvisioningError(.flashFailed, error.reason, hint: error.hint)
        }
        let receipt = FlashReceipt(
            digest: digest, byteCount: written.byteCount, isVerified: written.isVerified)
        try check(image, is: receipt)
        return receipt
    }

    public func check(_ image: FirmwareImage?, is receipt: FlashReceipt) throws(ProvisioningError) {
        try image?.check(is: receipt)
    }
}
