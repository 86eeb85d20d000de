import Channels
import Foundation
import Provisioning

/// Standard output, or a file that appears only when it is complete.
///
/// Links, devices and pipes are written where they are, as a shell's `>` does: a file that takes their
/// name would replace `/dev/null` for everybody.
final class ExportDestination {
    private let path: String?
    /// Nil: what is written is in place at once.
    private let temporaryPath: String?
    private let terminal: Terminal
    private let option: String
    /// `errno` of the first write that failed.
    private var failure: Int32 = 0

    /// - Parameter option: what the user named `path` with, for hints.
    init(path: String?, option: String = "--output") throws {
        self.path = path
        self.option = option
        guard let path else {
            temporaryPath = nil
            terminal = .standardOutput
            return
        }
        try StateDirectory.current().refuseOwnFile(path, option: option)
        let isReplaced = Self.isReplaced(path)
        temporaryPath = isReplaced ? "\(path).\(getpid()).partial" : nil
        let flags = isReplaced ? O_EXCL | O_NOFOLLOW : O_TRUNC | O_NOCTTY
        // Before there is one: a signal may come in between.
        if let temporaryPath { UnfinishedFile.begin(temporaryPath) }
        let descriptor = open(
            temporaryPath ?? path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
        guard descriptor >= 0 else {
            let cause = errno
            if temporaryPath != nil { UnfinishedFile.end() }
            throw Self.unwritable(path, cause, option)
        }
        terminal = Terminal(descriptor: descriptor)
    }

    /// Whether `path` can be written, found out without changing what is there.
    static func check(path: String, option: String) throws {
        try StateDirectory.current().refuseOwnFile(path, option: option)
        if isReplaced(path) {
            try ExportDestination(path: path, option: option).abandon()
        } else if isFolder(path) {
            throw unwritable(path, EISDIR, option)
        } else if access(path, W_OK) != 0 {
            throw unwritable(path, errno, option)
        }
    }

    func write(_ bytes: some Sequence<UInt8>) {
        guard failure == 0 else { return }
        failure = terminal.write(Array(bytes))
    }

    func write(_ text: String) { write(text.utf8) }

    /// A part of much: throws as soon as the rest is in vain.
    func writePart(_ bytes: some Sequence<UInt8>) throws {
        guard let path else { return try terminal.writePart(Array(bytes)) }
        write(bytes)
        guard failure == 0 else { throw Self.unwritable(path, failure, option) }
    }

    /// - Throws: `.usage` if not everything could be written; a file of that name is as it was then.
    func commit() throws {
        // `Terminal` remembers what standard output lost.
        guard let path else { return }
        if failure == 0, temporaryPath != nil, fsync(terminal.descriptor) != 0 { failure = errno }
        if close(terminal.descriptor) != 0, failure == 0 { failure = errno }
        if let temporaryPath {
            if failure == 0, rename(temporaryPath, path) != 0 { failure = errno }
            if failure != 0 { unlink(temporaryPath) }
            UnfinishedFile.end()
        }
        guard failure == 0 else { throw Self.unwritable(path, failure, option) }
    }

    func abandon() {
        guard path != nil else { return }
        close(terminal.descriptor)
        guard let temporaryPath else { return }
        unlink(temporaryPath)
        UnfinishedFile.end()
    }

    /// Only a plain file, or nothing yet, gives way to a new file.
    private static func isReplaced(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func unwritable(
        _ path: String, _ error: Int32, _ option: String
    ) -> ProvisioningError {
        ProvisioningError(
            .usage, "\(path) can't be written: \(String(cString: strerror(error)))",
            hint: [ENOSPC, EDQUOT].contains(error)
                ? "make room on its disk, or choose another \(option)" : "choose another \(option)")
    }
}
