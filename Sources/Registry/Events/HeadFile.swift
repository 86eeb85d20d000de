import Foundation
import Provisioning

/// The end of the log as it was last seen, in a file beside the registry: `registry.sqlite-head`.
///
/// SQLite takes a file that was deleted, cut to nothing or exchanged for an older copy for a sound one,
/// and what it lost would come back as new devices and unrevoked keys. The note is written after its
/// commit and not waited for, so it may lag behind the log, but it is never ahead of it.
struct HeadFile {
    let path: String

    /// What the file says.
    enum Note: Hashable {
        /// There is no file: none was written yet, or it was taken away.
        case missing
        case end(LogHead)
        /// There is something, and it is no end of a log: why, in words.
        case damaged(String)
    }

    /// Bytes. Longer than any head; always as many, so that a shorter one leaves no rest.
    private static let length = 96

    init(registry: String) { path = registry + "-head" }

    func read() -> Note {
        // O_NONBLOCK: a named pipe must not hold us up.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .missing }
            return .damaged(errno == ELOOP ? "it is a link" : String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .damaged("it is no plain file")
        }
        guard var bytes = Self.bytes(of: descriptor) else {
            return .damaged(String(cString: strerror(errno)))
        }
        // While another process writes, a part of both notes may be seen.
        for _ in 0..<Self.maximumReads {
            guard let again = Self.bytes(of: descriptor), again != bytes else { break }
            bytes = again
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard bytes.count <= Self.length,
            let head = LogHead(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return .damaged("it is no end of a log") }
        return .end(head)
    }

    private static let maximumReads = 100

    /// With one byte more than there may be, if there is; nil where it can't be read.
    private static func bytes(of descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: length + 1)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    /// Best effort: where it can't be written, the earlier note still holds.
    func note(_ head: LogHead) {
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { try? make(with: head) }
            return
        }
        defer { close(descriptor) }
        let bytes = Self.bytes(head)
        // In one call, within one sector: never half of it.
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    /// Writes the note anew, whatever stands in its place.
    ///
    /// - Throws: `.registryUnavailable`.
    func replace(with head: LogHead) throws(ProvisioningError) {
        // Of a process that was killed.
        unlink(draft)
        try make(with: head)
    }

    private var draft: String { path + "-new" }

    /// Whole or not at all: an empty note would look like one that was damaged.
    private func make(with head: LogHead) throws(ProvisioningError) {
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(errno) }
        let bytes = Self.bytes(head)
        var cause: Int32 = 0
        if pwrite(descriptor, bytes, bytes.count, 0) != bytes.count || fsync(descriptor) != 0 {
            cause = errno
        }
        close(descriptor)
        if cause == 0, rename(draft, path) != 0 { cause = errno }
        guard cause != 0 else { return }
        unlink(draft)
        throw unwritable(cause)
    }

    private func unwritable(_ cause: Int32) -> ProvisioningError {
        ProvisioningError(
            .registryUnavailable, "\(path) can't be written: \(String(cString: strerror(cause)))",
            hint: cause == EISDIR
                ? "a folder stands where the file should be: move it away"
                : "make the folder writable for this user, and make room on its disk")
    }

    private static func bytes(_ head: LogHead) -> [UInt8] {
        let text = head.description.padding(toLength: length - 1, withPad: " ", startingAt: 0)
        return Array("\(text)\n".utf8)
    }
}

extension HeadFile {
    /// Why nothing shows that the registry is its newest copy; nil if the note can be read.
    ///
    /// - Parameter isEmpty: nothing was recorded in the registry yet.
    func fault(isEmpty: Bool) -> String? {
        let reason: String
        switch read() {
        case .end: return nil
        case .missing where isEmpty: return nil
        case .missing: reason = "\(path) is missing"
        case .damaged(let cause): reason = "\(path) can't be read: \(cause)"
        }
        return reason + ", so nothing here shows whether the registry is its newest copy"
    }

    /// - Throws: `.registryDamaged` if something was recorded in a registry whose file is gone.
    func checkNothingIsLost(_ registry: String) throws(ProvisioningError) {
        let journal = registry + "-wal"
        let journalLength = FileStatus(journal)?.length ?? 0
        let trace: String
        switch read() {
        case .end(let head) where head.sequenceNumber > 0:
            trace = "\(path) tells of \(head.sequenceNumber) events"
        case .damaged(let cause):
            trace = "\(path), which tells of its events, can't be read: \(cause)"
        case .end, .missing:
            guard journalLength > 0 else { return }
            trace = "\(journal) holds \(journalLength) bytes of it"
        }
        throw ProvisioningError(
            .registryDamaged, "\(registry) is gone, and \(trace)", hint: hintToRestore(registry))
    }

    func hintToRestore(_ registry: String) -> String {
        "put back the newest copy; to go on without what is lost, remove \(path) and \(registry)-wal"
    }
}

/// What `stat` says of a file.
struct FileStatus {
    /// Bytes.
    let length: Int64
    let isFolder: Bool

    /// Nil if there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        length = Int64(status.st_size)
        isFolder = status.st_mode & S_IFMT == S_IFDIR
    }
}
