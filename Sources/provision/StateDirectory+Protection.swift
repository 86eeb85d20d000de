import Channels
import Foundation
import Provisioning

extension StateDirectory {
    /// Refuses a file to write that is one of this program's own: a list of devices in place of the root
    /// key could not be taken back. A user's own file may lie in the state directory.
    ///
    /// - Parameter option: what the user named `path` with.
    /// - Throws: `.usage`.
    func refuseOwnFile(_ path: String, option: String) throws(ProvisioningError) {
        guard isOwnFile(Self.target(of: path)) else { return }
        throw ProvisioningError(
            .usage,
            "\(path) is a file of the registry, the authority or the boards in \(self.path)",
            hint: "choose another \(option)")
    }

    /// Each holds nothing but what this program keeps.
    private static let ownFolders = ["authority", "emulated", "locks"]

    private func isOwnFile(_ path: String) -> Bool {
        let folder = path.containingFolder
        // From the file's folder up to the root: names may differ, the folders are the same.
        var ancestor = folder
        let own = Self.ownFolders.compactMap { FileIdentity("\(self.path)/\($0)") }
        while true {
            if let identity = FileIdentity(ancestor), own.contains(identity) { return true }
            let parent = ancestor.containingFolder
            if parent == ancestor { break }
            ancestor = parent
        }
        let name = (path as NSString).lastPathComponent
        let registryName = (registry as NSString).lastPathComponent
        if name.hasPrefix(registryName), let identity = FileIdentity(folder),
            identity == FileIdentity(self.path)
        {
            return true
        }
        // A hard link elsewhere.
        guard let identity = FileIdentity(path) else { return false }
        return ownFiles(registryName).contains { FileIdentity($0) == identity }
    }

    private func ownFiles(_ registryName: String) -> [String] {
        let files = FileManager.default
        let beside = (try? files.contentsOfDirectory(atPath: path)) ?? []
        return beside.filter { $0.hasPrefix(registryName) }.map { "\(path)/\($0)" }
            + Self.ownFolders.flatMap { folder in
                ((try? files.subpathsOfDirectory(atPath: "\(path)/\(folder)")) ?? [])
                    .map { "\(path)/\(folder)/\($0)" }
            }
    }

    /// Absolute; where `path` leads, also if there is nothing yet at the end of its links.
    private static func target(of path: String) -> String {
        var path = path
        for _ in 0..<maximumLinks {
            let folder = path.containingFolder
            let realFolder = realPath(folder) ?? URL(filePath: folder).standardizedFileURL.path
            path = realFolder + "/" + (path as NSString).lastPathComponent
            guard
                let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
            else { break }
            path = next.hasPrefix("/") ? next : realFolder + "/" + next
        }
        return path
    }

    /// Linux follows no more than 40.
    private static let maximumLinks = 40

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
