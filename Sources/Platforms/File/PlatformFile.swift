public import Provisioning

/// A file of a folder of platforms, looked at by itself.
public struct PlatformFile: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case platform, family, tool }

    public let kind: Kind
    public let name: String

    /// Reads a file and checks all that it says.
    ///
    /// - Parameters:
    ///   - path: In a folder `families` or `tools` it is one of these, else a platform. What it refers to
    ///     is looked for beside it, and then in `catalogue`.
    /// - Throws: `.platformInvalid`.
    public init(
        checking path: String, _ catalogue: PlatformCatalogue
    ) throws(ProvisioningError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let file = parts.last ?? ""
        guard file.hasSuffix(".toml"), file.count > 5 else {
            throw ProvisioningError(
                .platformInvalid, "\(path): its name does not end with .toml",
                hint: "a platform file is called after its platform: NAME.toml")
        }
        name = String(file.dropLast(5))
        let bytes = try PlatformDocument.read(path)
        let folder = parts.dropLast().last
        if let shared = SharedPlatformFile.Kind.allCases.first(where: { $0.folder == folder }) {
            kind = shared == .family ? .family : .tool
            try SharedPlatformFile(shared, parsing: bytes, name: name, file: path).check()
        } else {
            kind = .platform
            let beside = parts.count == 1 ? "." : parts.dropLast().joined(separator: "/")
            _ = try Platform(
                parsing: bytes, name: name, file: path,
                references: PlatformReferences(directories: [beside] + catalogue.directories))
        }
    }
}
