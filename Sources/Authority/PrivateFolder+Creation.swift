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
        let name = (path as NSString).lastPathComponent
        let folderOfPath = (path as NSString).deletingLastPathComponent
        let parent = folderOfPath.isEmpty ? "." : folderOfPath
        try createParents(parent)
        var template = Array("\(parent)/.\(name).XXXXXX".utf8CString)
        // mkdtemp gives mode 0700.
        guard mkdtemp(&template) != nil else {
            throw failure(.authorityUnavailable, "create", path)
        }
        let temporary = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        var isInPlace = false
        defer { if !isInPlace { remove(temporary) } }
        // The umask may have taken the owner's bits.
        guard chmod(temporary, 0o700) == 0 else {
            throw failure(.authorityUnavailable, "create", path)
        }
        let folder = try PrivateFolder(opening: temporary)
        try fill(folder)
        try folder.synchronize()
        guard rename(temporary, path) == 0 else {
            // A folder with files in it is another process's authority; it stays.
            if errno == ENOTEMPTY || errno == EEXIST { return false }
            throw failure(.authorityUnavailable, "create", path)
        }
        isInPlace = true
        try synchronizeFolder(parent)
        return true
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
