import Channels
import Foundation
import PlatformAdapter
import Platforms
import Provisioning

/// What `provision check` was asked to look at.
struct CheckSubject: Sendable {
    /// Nil: only an adapter describes it.
    let platform: Platform?
    /// Nil: it has none.
    let program: AdapterProgram?

    var name: String { platform?.name ?? program?.name ?? "" }

    /// - Parameter word: the path of a platform file or of an adapter, or a platform's name.
    /// - Throws: `.platformInvalid`, `.platformUnknown`, `.usage`.
    init(_ word: String, _ catalogue: PlatformCatalogue) throws(ProvisioningError) {
        if word.hasSuffix(".toml") {
            let platform = try Self.read(word)
            self.platform = platform
            program = try platform.adapter?.find()
        } else if word.contains("/") {
            platform = nil
            program = try Self.program(word)
        } else {
            (platform, program) = try Self.find(word, catalogue)
        }
    }

    /// What can't be run keeps no promise, and breaks none.
    private static func program(_ word: String) throws(ProvisioningError) -> AdapterProgram {
        let program = try AdapterProgram(path: URL(filePath: word).standardizedFileURL.path)
        var isFolder = ObjCBool(false)
        guard FileManager.default.fileExists(atPath: program.path, isDirectory: &isFolder) else {
            throw ProvisioningError(
                .platformUnknown, "there is no adapter \(word)", hint: "is the path right?")
        }
        guard !isFolder.boolValue else {
            throw ProvisioningError(
                .usage, "\(word) is a folder, not an adapter", hint: "name the program in it")
        }
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw ProvisioningError(
                .usage, "\(word) is no program that you may run", hint: "chmod +x \(word)")
        }
        return program
    }

    private static func find(
        _ name: String, _ catalogue: PlatformCatalogue
    ) throws(ProvisioningError) -> (Platform?, AdapterProgram?) {
        let platform: Platform
        do {
            platform = try catalogue.platform(named: name)
        } catch {
            guard error.code == .platformUnknown else { throw error }
            guard let program = AdapterProgram.find(name) else {
                throw AdapterPlatform.missing(name, error)
            }
            return (nil, program)
        }
        return (platform, try platform.adapter?.find())
    }

    /// The file's folder, before any other: it is this file that is meant.
    private static func read(_ path: String) throws(ProvisioningError) -> Platform {
        let file = URL(filePath: path).standardizedFileURL
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw ProvisioningError(
                .platformUnknown, "there is no platform file \(path)",
                hint: "a platform without its path is named without .toml, too")
        }
        let folder = file.deletingLastPathComponent().path
        return try PlatformCatalogue(requested: [folder])
            .platform(named: file.deletingPathExtension().lastPathComponent)
    }
}
