import Foundation
import Provisioning

/// The end of the log as it was last seen, in a file beside the registry: `registry.sqlite-head`.
///
/// SQLite takes a file that was deleted, cut to nothing or exchanged for an older copy for a sound one,
/// and what it lost would come back as new devices and unrevoked keys. The note is written after its
/// commit and not waited for, so it may lag behind the log, but it is never ahead of it.
struct HeadFile {
    let path: String

    /// Bytes. Longer than any head; always as many, so that a shorter one leaves no rest.
    private static let length = 96

    init(registry: String) { path = registry + "-head" }

    /// Nil where nothing was noted yet.
    func read() -> LogHead? {
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= Self.length
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return LogHead(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Best effort: where it can't be written, the earlier note still holds.
    func note(_ head: LogHead) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let text = head.description.padding(toLength: Self.length - 1, withPad: " ", startingAt: 0)
        let bytes = Array("\(text)\n".utf8)
        // In one call, within one sector: never half of it.
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }
}

extension HeadFile {
    /// - Throws: `.registryDamaged` if something was recorded in a registry whose file is gone.
    func checkNothingIsLost(_ registry: String) throws(ProvisioningError) {
        let journal = registry + "-wal"
        let journalLength = FileStatus(journal)?.length ?? 0
        let head = read() ?? .empty
        guard head.sequenceNumber > 0 || journalLength > 0 else { return }
        let trace =
            head.sequenceNumber > 0
            ? "\(path) tells of \(head.sequenceNumber) events"
            : "\(journal) holds \(journalLength) bytes of it"
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
