import OpenSSL
package import Provisioning

// An image that another program reads: it may be changed while that one does.
extension FirmwareImage {
    /// SHA-256 of the file as it is now, 32 octets.
    ///
    /// - Throws: `.imageInvalid`.
    package func digest() throws(ProvisioningError) -> [UInt8] {
        SHA256.hash(try readBytes(limit: ELFImage.maximumFileSize))
    }

    /// - Throws: `.flashFailed` if the file is another one than it was.
    package func check(is receipt: FlashReceipt) throws(ProvisioningError) {
        guard try digest() == receipt.digest else {
            throw ProvisioningError(
                .flashFailed, "\(path) changed while it was flashed", hint: "flash again")
        }
    }
}
