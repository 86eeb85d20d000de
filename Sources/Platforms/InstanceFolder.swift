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
            throw ProvisioningError(.usage, "the instance \"\(instance)\" is not called [a-z0-9-]+")
        }
        self.instance = instance
        path = URL(fileURLWithPath: stateDirectory).path + "/emulated/\(instance)"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            let reason =
                cause.map { String(cString: strerror(Int32(truncatingIfNeeded: $0.code))) }
                ?? error.localizedDescription
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
            let holder = String(decoding: text[..<count], as: UTF8.self)
            throw ProvisioningError(
                .deviceBusy, "\(instance) is run by \(Self.name(of: holder)) already",
                hint: "attach to that one, or emulate another board with --instance NAME")
        }
        let text = Array(String(getpid()).utf8)
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
        try replace(file) { temporary throws(ProvisioningError) in
            guard FileManager.default.createFile(atPath: temporary, contents: Data(bytes)) else {
                throw Self.failure(temporary)
            }
        }
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

    /// Replaces what is kept of all `regions`, none of them before all were saved.
    ///
    /// - Parameter save: writes a region's bytes to the path that it gets.
    func keep(
        _ regions: [AddressRange], save: (AddressRange, String) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        for region in regions {
            let temporary = memoryFile(of: region) + ".new"
            try save(region, temporary)
            let count = try read(temporary, atMost: region.length)?.count ?? 0
            guard count == region.length else {
                throw ProvisioningError(
                    .emulatorFailed, "only \(count) of \(region.length) bytes came to \(temporary)")
            }
        }
        for region in regions {
            try replace(memoryFile(of: region)) { _ in }
        }
    }

    private func memoryFile(of region: AddressRange) -> String {
        "\(path)/memory-\(String(region.address, radix: 16)).bin"
    }

    /// Makes `file` durable, whole or not at all.
    private func replace(
        _ file: String, making: (String) throws(ProvisioningError) -> Void
    ) throws(ProvisioningError) {
        let temporary = file + ".new"
        try making(temporary)
        for (name, isLast) in [(temporary, false), (path, true)] {
            if isLast, rename(temporary, file) != 0 { throw Self.failure(file) }
            let descriptor = open(name, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Self.failure(name) }
            defer { close(descriptor) }
            // Keys are in there.
            guard isLast || fchmod(descriptor, 0o600) == 0 else { throw Self.failure(name) }
            guard fsync(descriptor) == 0 else { throw Self.failure(name) }
        }
    }

    /// Nil if there is no such file. At most one byte more than `limit`.
    private func read(_ file: String, atMost limit: Int) throws(ProvisioningError) -> [UInt8]? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure(file)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            return Array(try handle.read(upToCount: limit + 1) ?? Data())
        } catch {
            throw ProvisioningError(.emulatorFailed, "\(file): \(error)")
        }
    }
}
