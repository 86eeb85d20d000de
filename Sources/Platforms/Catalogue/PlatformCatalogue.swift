import Channels
import Foundation
public import Provisioning

/// All platforms that this user has. Where several folders have one of the same name, the first wins:
///
/// 1. the folders of `--platforms`, in their order
/// 2. `platforms` in the firmware package
/// 3. `provision/platforms` under `$XDG_CONFIG_HOME`, or under `~/.config`
/// 4. the platforms that are built in
///
/// Folders 2 and 3 need not exist. Each may have `families` and `tools` in it, which come before the built-in
/// ones in the same order.
public struct PlatformCatalogue: Sendable {
    /// Folders, the first wins; the built-in platforms come after the last.
    public let directories: [String]

    /// - Throws: `.usage` if one of `requested` is no folder.
    public init(
        requested: [String] = [], package: String? = nil, environment: [String: String] = [:]
    ) throws(ProvisioningError) {
        for directory in requested {
            try Self.requireFolder(
                directory, hint: "--platforms takes a folder of platform files")
        }
        directories =
            requested + (package.map { ["\($0)/platforms"] } ?? [])
            + (Self.configurationDirectory(environment).map { ["\($0)/provision/platforms"] } ?? [])
    }

    static func requireFolder(_ path: String, hint: String) throws(ProvisioningError) {
        var isFolder = ObjCBool(false)
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard exists, isFolder.boolValue else {
            throw ProvisioningError(
                .usage, "\(path) is \(exists ? "no folder" : "missing")", hint: hint)
        }
    }

    /// XDG Base Directory Specification: a relative path is invalid and ignored.
    private static func configurationDirectory(_ environment: [String: String]) -> String? {
        if let directory = environment["XDG_CONFIG_HOME"], directory.hasPrefix("/") {
            return directory
        }
        return environment["HOME"].map { "\($0)/.config" }
    }

    /// A platform that was found, whether its file is good or not.
    public struct Entry: Sendable {
        public let name: String
        /// The path of the file, or `"built in"`.
        public let origin: String
        public let platform: Result<Platform, ProvisioningError>
    }

    /// Every platform that a name leads to, by name. A bad file hides no other platform.
    public func entries() -> [Entry] {
        let references = references
        return places().sorted { $0.key < $1.key }.map { name, directory in
            Entry(
                name: name, origin: Self.origin(of: name, in: directory),
                platform: Result { () throws(ProvisioningError) in
                    try Self.load(name, from: directory, references)
                })
        }
    }

    /// Every name that leads to a platform, in order. No file is read.
    public var names: [String] { places().keys.sorted() }

    /// Where its platforms find their families and tools.
    public var references: PlatformReferences { PlatformReferences(directories: directories) }

    /// - Throws: `.platformUnknown`, which names the nearest;
    ///   `.platformInvalid` for a bad file.
    public func platform(named name: String) throws(ProvisioningError) -> Platform {
        let names = places()
        guard let directory = names[name] else {
            let nearest = name.nearest(among: names.keys).map { "did you mean \($0)? " } ?? ""
            throw ProvisioningError(
                .platformUnknown, "no platform is called \"\(name)\"",
                hint: nearest + "provision platforms lists all \(names.count)")
        }
        return try Self.load(name, from: directory, references)
    }

    /// Each name and the folder that it is taken from; nil: built in.
    private func places() -> [String: String?] {
        var names: [String: String?] = [:]
        for directory in directories {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for file in files where file.hasSuffix(".toml") && !file.hasPrefix(".") {
                let name = String(file.dropLast(5))
                if names[name] == nil { names[name] = .some(directory) }
            }
        }
        for name in BuiltInPlatforms.names() where names[name] == nil {
            names[name] = .some(nil)
        }
        return names
    }

    private static func origin(of name: String, in directory: String?) -> String {
        directory.map { "\($0)/\(name).toml" } ?? "built in"
    }

    private static func load(
        _ name: String, from directory: String?, _ references: PlatformReferences
    ) throws(ProvisioningError) -> Platform {
        guard let directory else {
            return try Platform(
                parsing: BuiltInPlatforms.bytes(of: name) ?? [], name: name, file: "built in",
                references: references)
        }
        let path = "\(directory)/\(name).toml"
        return try Platform(
            parsing: PlatformDocument.read(path), name: name, file: path, references: references)
    }
}
