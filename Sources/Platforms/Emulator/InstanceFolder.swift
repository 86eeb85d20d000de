import Channels
import Foundation
import Provisioning

/// What is kept of one emulated board from one run to the next: its ID and its memory. Held by one
/// process at a time.
final class InstanceFolder {
    let path: String
    let instance: String
    private var lock: Int32

    /// Bytes of a device ID that is made here.
    private static let idLength = 8

    /// Makes the folder if there is none, and holds it.
    ///
    /// - Throws: `.deviceBusy` naming the process that holds it; `.usage` for an instance that is not
    ///   called `[a-z0-9-]+`; `.emulatorFailed`.
    init(instance: String, stateDirectory: String) throws(ProvisioningError) {
        guard Platform.isName(instance) else {
            throw ProvisioningError(
                .usage, "the instance \"\(instance)\" is not called [a-z0-9-]+",
                hint: "use small letters, digits and hyphens: --instance board-2")
        }
        self.instance = instance
        path = URL(fileURLWithPath: stateDirectory).path + "/emulated/\(instance)"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            let reason = SystemError(below: error)?.description ?? error.localizedDescription
            throw ProvisioningError(
                .emulatorFailed, "\(path) can't be made: \(reason)",
                hint: "name a place that can be written with PROVISION_HOME")
        }
        lock = try Self.hold("\(path)/lock", instance)
    }

    deinit { release() }

    /// Lets others hold it. Idempotent.
    func release() {
        guard lock >= 0 else { return }
        // A process that is just being made may have the descriptor, too, until it becomes its program.
        flock(lock, LOCK_UN)
        close(lock)
        lock = -1
    }

    /// The lock goes with the descriptor, so also with a process that is killed.
    private static func hold(_ path: String, _ instance: String) throws(ProvisioningError) -> Int32
    {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let cause = errno
            defer { close(descriptor) }
            guard cause == EWOULDBLOCK else { throw failure(path) }
            var text = [UInt8](repeating: 0, count: 32)
            let count = max(0, pread(descriptor, &text, text.count, 0))
            let holder = String(decoding: text[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
            throw ProvisioningError(
                .deviceBusy, "\(instance) is run by \(Self.name(of: holder)) already",
                hint: "attach to that one, or emulate another board with --instance NAME")
        }
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count
        else {
            defer { close(descriptor) }
            throw failure(path)
        }
        return descriptor
    }

    private static func name(of holder: String) -> String {
        Int32(holder).map { "\(PortHolder(processID: $0))" } ?? "another process"
    }

    private static func failure(_ path: String) -> ProvisioningError {
        let error = errno
        return ProvisioningError(
            .emulatorFailed, "\(path): \(String(cString: strerror(error)))",
            hint: error == ENOSPC
                ? "make room on the disk" : "name a place that can be written with PROVISION_HOME")
    }

    /// Tells others where the board is reached, for as long as the folder is held: in its lock, behind the
    /// holder's number, where it takes no room of its own. Who can't be told does not keep the board from
    /// running.
    func publish(_ platform: Platform, port: String) {
        var probe: ProbeEndpoint?
        if case .qemu = platform.emulation { probe = .unix(path: debuggerSocket) }
        let text = RunningInstance.Endpoints(
            platform: platform.name, port: port, probe: probe?.description, processID: getpid()
        ).text
        // Who reads a half of it takes it for none.
        _ = pwrite(lock, text, text.utf8.count, lseek(lock, 0, SEEK_END))
    }

    /// The board's ID: random, made once.
    func deviceID() throws(ProvisioningError) -> [UInt8] {
        let file = "\(path)/device-id"
        if let bytes = try read(file, atMost: Self.idLength) {
            guard bytes.count == Self.idLength else {
                throw ProvisioningError(
                    .emulatorFailed, "\(file) has \(bytes.count) bytes, not \(Self.idLength)",
                    hint: "remove \(path) to make a new board")
            }
            return bytes
        }
        let bytes = (0..<Self.idLength).map { _ in UInt8.random(in: 0...255) }
        let draft = draft(of: file)
        guard FileManager.default.createFile(atPath: draft, contents: Data(bytes)) else {
            throw Self.failure(draft)
        }
        try Self.synchronise(draft)
        guard rename(draft, file) == 0 else { throw Self.failure(file) }
        try Self.synchronise(path)
        return bytes
    }

    /// The memory that was kept last time, nil the first time.
    func memory(of region: AddressRange) throws(ProvisioningError) -> [UInt8]? {
        let file = memoryFile(of: region)
        guard let bytes = try read(file, atMost: region.length) else { return nil }
        guard bytes.count == region.length else {
            throw ProvisioningError(
                .emulatorFailed, "\(file) has \(bytes.count) bytes, not \(region.length)",
                hint: "remove \(path) to make a new board")
        }
        return bytes
    }

    /// Where the debugger's socket is while the board runs, and after this process was killed.
    var debuggerSocket: String { "\(path)/gdb" }

    /// Has `save` write a region's bytes to the path that it gets, beside what is kept.
    ///
    /// - Returns: the bytes.
    func draft(
        _ region: AddressRange, save: (String) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) -> [UInt8] {
        let draft = draft(of: memoryFile(of: region))
        // Keys are in there.
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(draft) }
        close(descriptor)
        // QEMU has the same words for every failed write, and none for one that fails as it closes the file.
        let hint = "make room on the disk, and see that \(path) can be written"
        do {
            try save(draft)
        } catch {
            throw ProvisioningError(error.code, error.reason, hint: error.hint ?? hint)
        }
        let bytes = try read(draft, atMost: region.length) ?? []
        guard bytes.count == region.length else {
            throw ProvisioningError(
                .emulatorFailed, "only \(bytes.count) of \(region.length) bytes came to \(draft)",
                hint: hint)
        }
        return bytes
    }

    /// Puts a region's draft in the place of what was kept, whole or not at all.
    func keepDraft(of region: AddressRange) throws(ProvisioningError) {
        let file = memoryFile(of: region)
        guard rename(draft(of: file), file) == 0 else { throw Self.failure(file) }
    }

    func removeDrafts(of regions: [AddressRange]) {
        for region in regions { unlink(draft(of: memoryFile(of: region))) }
    }

    /// Makes durable what is kept.
    func synchronise(_ regions: [AddressRange]) throws(ProvisioningError) {
        for name in regions.map(memoryFile) + [path] { try Self.synchronise(name) }
    }

    private func memoryFile(of region: AddressRange) -> String {
        "\(path)/memory-\(String(region.address, radix: 16)).bin"
    }

    private func draft(of file: String) -> String { file + ".new" }

    private static func synchronise(_ name: String) throws(ProvisioningError) {
        let descriptor = open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(name) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(name) }
    }

    /// Nil if there is no such file. At most one byte more than `limit`.
    private func read(_ file: String, atMost limit: Int) throws(ProvisioningError) -> [UInt8]? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure(file)
        }
        defer { close(descriptor) }
        var error: Int32?
        // A board's flash is read often and is large: into place, once.
        let bytes = [UInt8](unsafeUninitializedCapacity: limit + 1) { buffer, count in
            while count <= limit {
                let length = Foundation.read(
                    descriptor, buffer.baseAddress! + count, limit + 1 - count)
                if length < 0, errno == EINTR { continue }
                if length < 0 { error = errno }
                guard length > 0 else { return }
                count += length
            }
        }
        guard let error else { return bytes }
        errno = error
        throw Self.failure(file)
    }
}
