internal import Foundation
internal import Provisioning

extension PrivateFolder {
    /// Creates a folder with all its files at once: `fill` writes into a temporary folder beside
    /// `path`, which then takes the name.
    ///
    /// - Returns: false if another process created `path` first; then nothing is left behind.
    static func create(
        at path: String, fill: (PrivateFolder) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) -> Bool {
        let parent = parent(of: path)
        try createParents(parent)
        let folder = try createUnfinished(path)
        var isInPlace = false
        // It is locked up to here: who finds it open and unlocked may remove it.
        defer { withExtendedLifetime(folder) { if !isInPlace { remove(folder.path) } } }
        try fill(folder)
        try folder.synchronize()
        guard rename(folder.path, path) == 0 else {
            // A folder with files in it is another process's authority; it stays.
            if errno == ENOTEMPTY || errno == EEXIST { return false }
            throw failure(.authorityUnavailable, "create", path)
        }
        isInPlace = true
        try synchronizeFolder(parent)
        return true
    }

    /// Removes what processes left that died while they created `path`: there are private keys in it. What
    /// a living process fills is locked, and stays.
    static func removeUnfinished(of path: String) {
        let parent = parent(of: path)
        let prefix = unfinishedPrefix(of: path)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names
        where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + suffix.utf8.count {
            guard let folder = try? PrivateFolder(opening: "\(parent)/\(name)"),
                folder.lock(LOCK_EX | LOCK_NB), folder.isStillThere
            else { continue }
            remove(folder.path)
        }
    }

    /// Of `mkdtemp`.
    private static let suffix = "XXXXXX"

    /// Longer than what somebody would call a copy that is to be kept.
    private static func unfinishedPrefix(of path: String) -> String {
        ".\((path as NSString).lastPathComponent).unfinished."
    }

    private static func parent(of path: String) -> String {
        // NSString's own ends the process for a name of one character.
        URL(filePath: path).deletingLastPathComponent().relativePath
    }

    /// An empty folder beside `path`, locked for as long as it is open.
    private static func createUnfinished(
        _ path: String
    ) throws(ProvisioningError) -> PrivateFolder {
        while true {
            var template = Array(
                "\(parent(of: path))/\(unfinishedPrefix(of: path))\(suffix)".utf8CString)
            // mkdtemp gives mode 0700.
            guard mkdtemp(&template) != nil else {
                throw failure(.authorityUnavailable, "create", path)
            }
            let temporary = String(
                decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            do throws(ProvisioningError) {
                // The umask may have taken the owner's bits.
                guard chmod(temporary, 0o700) == 0 || errno == ENOENT else {
                    throw failure(.authorityUnavailable, "create", path)
                }
                let folder = try PrivateFolder(opening: temporary)
                // Where there are no locks, nobody gets one, and nobody removes it.
                _ = folder.lock(LOCK_EX)
                if folder.isStillThere { return folder }
            } catch {
                guard error.code == .notFound else {
                    remove(temporary)
                    throw error
                }
            }
            // Another process took it for abandoned before it was locked.
        }
    }

    private static func createParents(_ path: String) throws(ProvisioningError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw ProvisioningError(
                .authorityUnavailable, "could not create \(path): \(error.localizedDescription)")
        }
    }

    private static func synchronizeFolder(_ path: String) throws(ProvisioningError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(.authorityUnavailable, "open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(.authorityUnavailable, "write", path) }
    }

    private static func remove(_ path: String) {
        // What stays behind after a failure is a folder that only this user can read.
        try? FileManager.default.removeItem(atPath: path)
    }
}
