internal import Foundation
internal import OpenSSL
internal import Provisioning

/// A folder with mode 0700 that holds files with mode 0600, both owned by this user.
///
/// Files are reached through the open folder, so that nobody can exchange it meanwhile, and never
/// through a symbolic link.
final class PrivateFolder {
    let path: String
    private let descriptor: Int32

    /// Octets. Longer than any key or certificate here.
    private static let maximumFileLength = 64 * 1024

    /// Opens an existing folder.
    ///
    /// - Throws: `.notFound` if there is none, `.authorityUnavailable` if it cannot be opened, is
    ///   another user's, or is open to others.
    init(opening path: String) throws(ProvisioningError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno != ENOENT else {
                throw ProvisioningError(
                    .notFound, "there is no folder \(path)",
                    hint: "create the authority: provision authority create")
            }
            throw Self.failure(.authorityUnavailable, "open", path)
        }
        do throws(ProvisioningError) {
            try Self.checkPrivacy(of: descriptor, path, forbidden: 0o077, remedy: 0o700)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func path(of name: String) -> String { path + "/" + name }

    /// Whether there is a file of this name.
    func contains(_ name: String) -> Bool {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// The whole file, which must be this user's own. A secret must be closed to others, any other
    /// file must not be theirs to write.
    func read(_ name: String, isSecret: Bool) throws(ProvisioningError) -> Secret {
        let path = path(of: name)
        // O_NONBLOCK: a named pipe must not hold us up.
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure(.authorityUnavailable, "open", path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            throw Self.failure(.authorityUnavailable, "examine", path)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ProvisioningError(
                .authorityUnavailable, "\(path) is no regular file",
                hint: "restore the authority's folder from a backup")
        }
        try Self.checkPrivacy(
            of: file, path, forbidden: isSecret ? 0o077 : 0o022, remedy: 0o600)
        guard status.st_size <= Self.maximumFileLength else {
            throw ProvisioningError(
                .authorityUnavailable,
                "\(path) has \(status.st_size) octets, more than \(Self.maximumFileLength)",
                hint: "restore the authority's folder from a backup")
        }
        return try Secret(capacity: Int(status.st_size)) { buffer throws(ProvisioningError) in
            var count = 0
            while count < buffer.count {
                let part = Foundation.read(
                    file, buffer.baseAddress?.advanced(by: count), buffer.count - count)
                if part < 0, errno == EINTR { continue }
                guard part >= 0 else { throw Self.failure(.authorityUnavailable, "read", path) }
                if part == 0 { break }
                count += part
            }
            return count
        }
    }

    /// Creates a file with mode 0600, whatever the umask, and waits until it is durable.
    func write(_ content: Secret, to name: String) throws(ProvisioningError) {
        let path = path(of: name)
        let file = openat(
            descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure(.authorityUnavailable, "create", path) }
        defer { close(file) }
        try content.withUnsafeBytes { bytes throws(ProvisioningError) in
            var count = 0
            while count < bytes.count {
                let part = Foundation.write(
                    file, bytes.baseAddress?.advanced(by: count), bytes.count - count)
                if part < 0, errno == EINTR { continue }
                guard part > 0 else { throw Self.failure(.authorityUnavailable, "write", path) }
                count += part
            }
        }
        guard fchmod(file, 0o600) == 0, fsync(file) == 0 else {
            throw Self.failure(.authorityUnavailable, "write", path)
        }
    }

    /// Locks the folder itself, until it is closed. False: it is locked already, or can't be.
    func lock(_ operation: Int32) -> Bool {
        while flock(descriptor, operation) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }

    /// Whether it still has the name that it was opened by.
    var isStillThere: Bool {
        var opened = stat()
        var named = stat()
        return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0
            && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }

    /// Waits until the names of the files are durable.
    func synchronize() throws(ProvisioningError) {
        guard fsync(descriptor) == 0 else {
            throw Self.failure(.authorityUnavailable, "write", path)
        }
    }

    private static func checkPrivacy(
        of descriptor: Int32, _ path: String, forbidden: mode_t, remedy: Int
    ) throws(ProvisioningError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw failure(.authorityUnavailable, "examine", path)
        }
        guard status.st_uid == geteuid() else {
            throw ProvisioningError(
                .authorityUnavailable,
                "\(path) belongs to user \(status.st_uid), this is user \(geteuid())",
                hint: "run as the user who created the authority")
        }
        guard status.st_mode & forbidden == 0 else {
            throw ProvisioningError(
                .authorityUnavailable,
                "\(path) has mode \(octal(Int(status.st_mode & 0o777))), which lets others in",
                hint: "chmod \(octal(remedy)) '\(path)', if nobody else can have used the keys")
        }
    }

    private static func octal(_ mode: Int) -> String { "0" + String(mode, radix: 8) }

    static func failure(
        _ code: ErrorCode, _ verb: String, _ path: String, hint: String? = nil
    ) -> ProvisioningError {
        let error = errno
        let reason = String(cString: strerror(error)).lowercased()
        return ProvisioningError(
            code, "could not \(verb) \(path): \(reason)", hint: hint ?? Self.hint(for: error))
    }

    private static func hint(for error: Int32) -> String {
        switch error {
        case ENOSPC, EDQUOT: "make room on the disk"
        case EFBIG: "raise the limit: ulimit -f unlimited"
        case EACCES, EPERM, EROFS:
            "let this user read and write the folder, or name another place with PROVISION_HOME"
        default: "restore the authority's folder from a backup, if it was there before"
        }
    }
}
