public import Attestation

/// A firmware image as a file.
public struct FirmwareImage: Sendable, Hashable {
    /// Absolute path of an ELF file, or of whatever the platform's flash command takes.
    public let path: String

    public init(path: String) { self.path = path }
}

/// What was written to a board. `digest` is a Reference Value, RFC 9334 §8.3.
public struct FlashReceipt: Sendable, Hashable {
    /// SHA-256 of the image file, 32 octets; nil where only the tool knows what it wrote, and from an
    /// adapter, whose host has its own.
    public let digest: [UInt8]?
    /// Bytes that were programmed; nil where an external tool did it and does not say.
    public let byteCount: Int?
    /// Whether the bytes were read back and compared.
    public let isVerified: Bool

    public init(digest: [UInt8]?, byteCount: Int?, isVerified: Bool) {
        self.digest = digest
        self.byteCount = byteCount
        self.isVerified = isVerified
    }
}

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

/// Reads the device ID out of band, without the firmware's help.
public protocol DeviceIDReader {
    func readDeviceID() throws(ProvisioningError) -> DeviceID
}

extension DeviceIDReader {
    /// - Parameter wanted: the only one that may be there; nil: any.
    /// - Throws: `.idMismatch` if another one is.
    public func readDeviceID(expecting wanted: DeviceID?) throws(ProvisioningError) -> DeviceID {
        let id = try readDeviceID()
        guard let wanted, wanted != id else { return id }
        throw .anotherDevice(wanted, id)
    }
}
