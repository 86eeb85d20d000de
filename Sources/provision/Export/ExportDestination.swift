import Channels
import Foundation
import Provisioning

/// Standard output, or a file that appears only when it is complete.
///
/// Links, devices and pipes are written where they are, as a shell's `>` does: a file that takes their
/// name would replace `/dev/null` for everybody. Unlike a shell's, what a link leads to is emptied only
/// by the first write. Without `commit`, a new file is removed.
final class ExportDestination {
    private let path: String?
    /// Where `path` leads to.
    private let place: String
    /// Nil: what is written is in place at once.
    private let partial: PartialFile?
    private var isOpen: Bool
    /// Whether an earlier content was given up.
    private var isEmptied = false
    private let terminal: Terminal
    private let option: String
    /// `errno` of the first write that failed.
    private var failure: Int32 = 0

    /// - Parameter option: what the user named `path` with, for hints.
    init(path: String?, option: String = "--output") throws {
        self.path = path
        self.option = option
        isOpen = path != nil
        guard let path else {
            place = ""
            partial = nil
            terminal = .standardOutput
            return
        }
        try StateDirectory.current().refuseOwnFile(path, option: option)
        place = Self.place(of: path)
        partial = Self.isReplaced(place) ? PartialFile(beside: place) : nil
        // Before there is one: a signal may come in between.
        if let partial { UnfinishedFile.begin(partial.path) }
        let descriptor = try partial?.create() ?? Self.open(place)
        guard descriptor >= 0 else {
            let cause = errno
            if partial != nil { UnfinishedFile.end() }
            throw Self.unwritable(path, cause, option)
        }
        terminal = Terminal(descriptor: descriptor)
    }

    deinit { abandon() }

    /// A pipe waits for its reader, but not beyond Ctrl-C.
    ///
    /// - Returns: negative: `errno` says why.
    private static func open(_ path: String) throws -> Int32 {
        var status = stat()
        let isPipe = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        guard isPipe else { return Foundation.open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY) }
        var isTold = false
        while true {
            let descriptor = Foundation.open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)
            guard descriptor < 0, errno == ENXIO else {
                if descriptor >= 0 { _ = fcntl(descriptor, F_SETFL, O_WRONLY) }
                return descriptor
            }
            guard !Terminal.isInterrupted else {
                throw ProvisioningError(
                    .interrupted, "interrupted while nobody reads \(path)",
                    hint: "start what reads it first")
            }
            if !isTold { Terminal.standardError.remark("waiting for somebody to read \(path)") }
            isTold = true
            usleep(20_000)
        }
    }

    /// Whether files can be made in `folder`, or it can be made, found out without making it.
    static func check(folder: String, option: String) throws {
        try StateDirectory.current().refuseOwnFile(folder + "/file", option: option)
        var place = URL(filePath: folder).standardizedFileURL.path
        var status = stat()
        // What is not there yet is made in the nearest folder that is.
        while stat(place, &status) != 0, errno == ENOENT, place != "/" {
            place = place.containingFolder
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw unwritable(folder, ENOTDIR, option) }
        guard access(place, W_OK | X_OK) == 0 else { throw unwritable(folder, errno, option) }
    }

    /// Whether a JSON document can be written at `path`, found out without changing what is there.
    ///
    /// - Throws: `.usage` also for a file that holds none: it may be what the command is about, an image, a log, a
    ///   board's file.
    static func check(document path: String, option: String) throws {
        try StateDirectory.current().refuseOwnFile(path, option: option)
        guard !isForeign(path) else {
            throw ProvisioningError(
                .usage, "\(path) is there, and not what \(option) writes",
                hint: "choose another \(option), or remove that file")
        }
        if isReplaced(place(of: path)) {
            try ExportDestination(path: path, option: option).abandon()
        } else if isFolder(path) {
            throw unwritable(path, EISDIR, option)
        } else if access(path, W_OK) != 0 {
            throw unwritable(path, errno, option)
        }
    }

    func write(_ bytes: some Sequence<UInt8>) {
        empty()
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
        empty()
        if failure == 0, partial != nil, fsync(terminal.descriptor) != 0 { failure = errno }
        isOpen = false
        // It stays locked until it has its name.
        let lock = partial == nil ? -1 : fcntl(terminal.descriptor, F_DUPFD_CLOEXEC, 0)
        if close(terminal.descriptor) != 0, failure == 0 { failure = errno }
        if let partial {
            if failure == 0, rename(partial.path, place) != 0 { failure = errno }
            if failure != 0 { unlink(partial.path) }
            UnfinishedFile.end()
        }
        if lock >= 0 { close(lock) }
        guard failure == 0 else { throw Self.unwritable(path, failure, option) }
    }

    /// `commit`, unless the file has that content already: then it keeps its date, by which build tools go.
    ///
    /// - Returns: whether the file is another one now.
    func commitIfChanged() throws -> Bool {
        if failure == 0, let partial,
            FileManager.default.contentsEqual(atPath: partial.path, andPath: place)
        {
            abandon()
            return false
        }
        try commit()
        return true
    }

    /// To no effect after `commit`, also one that failed.
    func abandon() {
        guard isOpen else { return }
        isOpen = false
        // As long as it is locked, its name is nobody else's.
        if let partial { unlink(partial.path) }
        close(terminal.descriptor)
        if partial != nil { UnfinishedFile.end() }
    }

    /// Gives up what a link leads to, if that is a file.
    private func empty() {
        guard isOpen, partial == nil, !isEmptied else { return }
        isEmptied = true
        var status = stat()
        guard fstat(terminal.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            ftruncate(terminal.descriptor, 0) != 0
        else { return }
        failure = errno
    }

    /// `path`, or the file that a link there leads to and that does not exist yet.
    private static func place(of path: String) -> String {
        var place = path
        // As many links as Linux follows.
        for _ in 0..<40 {
            var status = stat()
            guard stat(place, &status) != 0, errno == ENOENT,
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place)
            else { break }
            let folder = place.containingFolder
            place = target.hasPrefix("/") ? target : "\(folder)/\(target)"
        }
        return place
    }

    /// Only a plain file, or nothing yet, gives way to a new file.
    private static func isReplaced(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    }

    /// A file with something else than what begins as each document does.
    private static func isForeign(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
            let file = FileHandle(forReadingAtPath: path)
        else { return false }
        defer { try? file.close() }
        return (try? file.read(upToCount: 1)) != Data("{".utf8)
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
