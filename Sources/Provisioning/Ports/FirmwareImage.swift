/// A firmware image as a file.
public struct FirmwareImage: Sendable, Hashable {
    /// Absolute path of an ELF file, or of whatever the platform's flash command takes.
    public let path: String

    public init(path: String) { self.path = path }
}
