import Foundation
import Provisioning

/// Where families and tools are found: in the folders of a catalogue, and then among the built-in ones. Each
/// is read once. Not for several threads.
public final class PlatformReferences {
    private let directories: [String]
    private var known: [String: Result<SharedPlatformFile, ProvisioningError>] = [:]

    /// - Parameter directories: with `families` and `tools` in them, the first wins.
    public init(directories: [String] = []) { self.directories = directories }

    /// - Throws: `.platformInvalid` for a bad file. Nil if there is none of that name.
    func file(
        _ kind: SharedPlatformFile.Kind, named name: String
    ) throws(ProvisioningError) -> SharedPlatformFile? {
        guard Platform.isName(name) else { return nil }
        let path = "\(kind.folder)/\(name)"
        if let known = known[path] { return try known.get() }
        guard let (bytes, file) = try read(path) else { return nil }
        let result = Result { () throws(ProvisioningError) in
            try SharedPlatformFile(kind, parsing: bytes, name: name, file: file)
        }
        known[path] = result
        return try result.get()
    }

    private func read(_ path: String) throws(ProvisioningError) -> ([UInt8], String)? {
        for directory in directories {
            let file = "\(directory)/\(path).toml"
            guard FileManager.default.fileExists(atPath: file) else { continue }
            return (try PlatformDocument.read(file), file)
        }
        return BuiltInPlatforms.bytes(of: path).map { ($0, "built in") }
    }

    func names(of kind: SharedPlatformFile.Kind) -> [String] {
        var names = Set(BuiltInPlatforms.names(in: kind.folder))
        for directory in directories {
            let files =
                (try? FileManager.default.contentsOfDirectory(
                    atPath: "\(directory)/\(kind.folder)")) ?? []
            names.formUnion(files.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) })
        }
        return names.sorted()
    }
}
