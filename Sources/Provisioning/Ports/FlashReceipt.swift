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
