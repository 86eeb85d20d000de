import Foundation
import Synchronization

/// A board without hardware, as a folder:
///
/// - `flash`: a named pipe that takes an image; `flash-erase` also erases keys and credentials
/// - `flashed`: a file that is made when an image was taken
/// - `id`: the device ID in hexadecimal, as a probe reads it
/// - `console`: the serial port, a pseudo-terminal
/// - `reset`: a named pipe; any byte restarts the board
///
/// Adapters get it as `simulated`, and so may your parts in a test. It lives on a thread of its own, until
/// `unplug`.
///
///     var behaviour = BoardFolder.Behaviour()
///     behaviour.talk = try SimulatedBoard("1f0c5a9922ee4b07", board: "teapot").talk
///     let board = try BoardFolder(in: folder, id: "1f0c5a9922ee4b07", behaviour)
///     defer { board.unplug() }
public final class BoardFolder: Sendable {
    /// What the board does. All of it is called on the board's thread.
    public struct Behaviour: Sendable {
        /// Takes an image, and whether keys and credentials are to be erased.
        public var flashed: @Sendable ([UInt8], Bool) -> Void = { _, _ in }
        public var reset: @Sendable () -> Void = {}
        /// What the firmware says to bytes that it gets. Nil: somebody else has `master`.
        public var talk: (@Sendable ([UInt8]) -> [UInt8])?
        /// Bytes of an image after which the board is unplugged; nil: it stays.
        public var leavesAfter: Int?

        public init() {}
    }

    /// The folder.
    public let path: String
    /// The console's other end, for whoever speaks in the place of `talk`. It does not wait.
    public let master: Int32
    private let slave: Int32
    private let behaviour: Behaviour
    private let wake: (read: Int32, write: Int32)
    private let isDone = DispatchSemaphore(value: 0)
    private let isUnplugged = Mutex(false)
    private let isHungUp = Mutex(false)

    /// Why there is no such board: no pseudo-terminal, or a pipe that can't be made.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private static let pipes = ["flash", "flash-erase", "reset"]
    /// Octets of an image. More are not taken.
    private static let imageLimit = 16 << 20

    /// - Parameters:
    ///   - path: a folder that is there, and empty.
    ///   - id: the device ID in hexadecimal, as a probe reads it.
    /// - Throws: `Failure`, or what writing into the folder throws.
    public init(in path: String, id: String, _ behaviour: Behaviour) throws {
        self.path = path
        self.behaviour = behaviour
        var (master, slave) = (Int32(-1), Int32(-1))
        var name = [CChar](repeating: 0, count: 128)
        var settings = termios()
        cfmakeraw(&settings)
        guard openpty(&master, &slave, &name, &settings, nil) == 0 else {
            throw Failure(description: "no pseudo-terminal: \(String(cString: strerror(errno)))")
        }
        (self.master, self.slave) = (master, slave)
        for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wake = (ends[0], ends[1])
        try Data("\(id)\n".utf8).write(to: URL(filePath: path + "/id"))
        for pipe in Self.pipes {
            guard mkfifo("\(path)/\(pipe)", 0o600) == 0 else {
                throw Failure(description: "\(path)/\(pipe): \(String(cString: strerror(errno)))")
            }
        }
        let port = String(
            decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        try FileManager.default.createSymbolicLink(
            atPath: path + "/console", withDestinationPath: port)
        let inputs = try Self.pipes.map { try Self.reading("\(path)/\($0)") }
        Thread.detachNewThread { [self] in
            live(inputs)
            isDone.signal()
        }
    }

    /// Takes the board away: whoever has its port or writes an image notices. Idempotent.
    public func unplug() {
        let isFirst = isUnplugged.withLock { isUnplugged in
            defer { isUnplugged = true }
            return !isUnplugged
        }
        guard isFirst else { return }
        _ = write(wake.write, "x", 1)
        isDone.wait()
        close(wake.read)
        close(wake.write)
    }

    private static func reading(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    // MARK: The board's thread

    private func live(_ inputs: [Int32]) {
        var inputs = inputs
        var image: [UInt8] = []
        var pending: [UInt8] = []
        var isAway = false
        while !isAway {
            var entries = inputs.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            entries.append(pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0))
            let events = POLLIN | (pending.isEmpty ? 0 : POLLOUT)
            entries.append(
                pollfd(fd: behaviour.talk == nil ? -1 : master, events: Int16(events), revents: 0))
            guard poll(&entries, nfds_t(entries.count), -1) >= 0 || errno == EINTR else { break }
            if entries[3].revents != 0 { break }
            if entries[4].revents != 0 { talk(&pending) }
            for index in inputs.indices where entries[index].revents != 0 {
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                let count = read(inputs[index], &buffer, buffer.count)
                if count > 0 {
                    image += buffer[..<min(count, max(0, Self.imageLimit - image.count))]
                    if index == 2 { behaviour.reset() }
                    isAway = isAway || image.count >= behaviour.leavesAfter ?? .max
                } else if count == 0 {
                    // Its writer has left. Another one is seen only by who opens it again, and none may
                    // find the pipe without its reader.
                    let path = "\(path)/\(Self.pipes[index])"
                    guard let again = try? Self.reading(path) else { continue }
                    close(inputs[index])
                    inputs[index] = again
                    if index < 2 { take(image, erasing: index == 1) }
                    image = []
                }
            }
        }
        leave(inputs)
    }

    private func take(_ image: [UInt8], erasing: Bool) {
        guard !image.isEmpty else { return }
        behaviour.flashed(image, erasing)
        _ = try? Data("\(image.count)\n".utf8).write(to: URL(filePath: path + "/flashed"))
    }

    private func talk(_ pending: inout [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(master, &buffer, buffer.count)
        if count > 0 { pending += behaviour.talk?(Array(buffer[..<count])) ?? [] }
        guard !pending.isEmpty else { return }
        let written = pending.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
        if written > 0 { pending.removeFirst(written) }
    }

    private func leave(_ inputs: [Int32]) {
        for name in Self.pipes + ["console", "id", "flashed"] { unlink("\(path)/\(name)") }
        for input in inputs { close(input) }
        guard behaviour.talk != nil else { return }
        hangUp()
    }

    /// Closes the console, once nobody uses `master` any more; with `talk`, `unplug` does. Idempotent.
    public func hangUp() {
        let isFirst = isHungUp.withLock { isHungUp in
            defer { isHungUp = true }
            return !isHungUp
        }
        guard isFirst else { return }
        close(slave)
        close(master)
    }
}
