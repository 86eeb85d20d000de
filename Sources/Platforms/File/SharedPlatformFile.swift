import Provisioning
import TOMLKit

/// What boards have in common, as a file that their platform files refer to.
///
/// A family says what is so of its chips: where their ID is, which RAM they have. A tool says how it flashes
/// and how it reads. A board's own tables override its family's, and those its tool's, key by key.
struct SharedPlatformFile {
    enum Kind: String, CaseIterable, Sendable {
        case family, tool

        /// The folder among platform files.
        var folder: String {
            switch self {
            case .family: "families"
            case .tool: "tools"
            }
        }

        fileprivate var level: PlatformLayer.Level { self == .family ? .family : .tool }
    }

    let reference: Platform.Reference
    /// A family's tool, for boards that name no other.
    let toolName: String?
    /// What it has for a platform.
    let layer: PlatformLayer

    /// - Throws: `.platformInvalid`, as `Platform.init(parsing:)`.
    init(
        _ kind: Kind, parsing bytes: [UInt8], name: String, file: String
    ) throws(ProvisioningError) {
        // What is built in has many files.
        let path = file == "built in" ? "built-in \(kind.folder)/\(name).toml" : file
        let document = try PlatformDocument(file: path, bytes: bytes)
        let table = try document.parse()
        switch kind {
        case .family:
            let root = try PlatformSection<FamilyKey>(table, at: [], in: document)
            reference = try Self.reference(root, name, file, (.name, .description, .source))
            toolName = try root.string(.tool, atMost: 64)
        case .tool:
            let root = try PlatformSection<ToolKey>(table, at: [], in: document)
            reference = try Self.reference(root, name, file, (.name, .description, .source))
            toolName = nil
        }
        layer = PlatformLayer(
            table, document, kind.level, hiding: ["name", "description", "source", "tool"])
    }

    private static func reference<Key: PlatformKey>(
        _ root: PlatformSection<Key>, _ name: String, _ file: String,
        _ keys: (name: Key, description: Key, source: Key)
    ) throws(ProvisioningError) -> Platform.Reference {
        try Platform.checkName(root, keys.name, is: name)
        guard let description = try root.string(keys.description) else {
            throw root.missing(keys.description)
        }
        guard let source = try root.string(keys.source) else { throw root.missing(keys.source) }
        return Platform.Reference(
            name: name, description: description, source: source, origin: file)
    }

    /// Whether all that it has could be a platform's.
    ///
    /// - Throws: `.platformInvalid` for what no board could make right.
    func check() throws(ProvisioningError) {
        let root = try PlatformSection<RootKey>([layer], at: [])
        _ = try root.string(.chip, atMost: 64)
        if root.has(.flash) { _ = try Platform.flash(root) }
        if root.has(.channel) { _ = try Platform.channel(root, isOptional: true) }
        _ = try Platform.identification(root)
        _ = try Platform.credentials(root)
        _ = try Platform.timeouts(root)
    }
}
