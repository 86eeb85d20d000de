public import Provisioning

extension FirmwareImage {
    /// - Throws: `.imageInvalid` if it cannot be read, is empty, or has more than `limit` bytes.
    public func readBytes(limit: Int = ELFImage.maximumFileSize) throws(ProvisioningError)
        -> [UInt8]
    {
        let bytes: [UInt8]
        do {
            bytes = try FileBytes.readRegular(path, limit: limit)
        } catch {
            guard error != FileBytes.noFile else {
                throw ProvisioningError(
                    .imageInvalid, "\(path) is a device or a pipe, and no file",
                    hint: "name the file that the build made")
            }
            guard error != FileBytes.tooLarge else {
                throw ProvisioningError(
                    .imageInvalid, "\(path) has more than \(limit >> 20) MiB",
                    hint: "did the build make another file?")
            }
            throw ProvisioningError(
                .imageInvalid, "\(path): \(error)",
                hint: "did the build make another file?")
        }
        guard !bytes.isEmpty else {
            throw ProvisioningError(.imageInvalid, "\(path) is empty", hint: "build it again")
        }
        return bytes
    }
}
