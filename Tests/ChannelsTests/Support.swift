import Foundation
import Provisioning
import Testing

@testable import Channels

/// A folder of its own, gone with this object. Its name has a space and no ASCII only.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/cħ annels-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ bytes: [UInt8] = []) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// A pty that nobody has opened yet: `PseudoTerminal` is open from the start. The master's end is the device.
final class UnopenedPort {
    private(set) var master: Int32
    let path: String

    init() throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(master >= 0)
        // TIOCSPTLCK and TIOCGPTN: unlockpt and ptsname are not imported.
        var (lock, number): (Int32, Int32) = (0, -1)
        try #require(ioctl(master, 0x4004_5431, &lock) == 0)
        try #require(ioctl(master, 0x8004_5430, &number) == 0)
        path = "/dev/pts/\(number)"
    }

    deinit { if master >= 0 { close(master) } }

    /// The device's end, which the caller closes.
    func takeMaster() -> Int32 {
        defer { master = -1 }
        return master
    }
}

/// The two ends of a connected socket. No process that another test starts keeps one open.
func socketPair() throws -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
    return (ends[0], ends[1])
}

/// Runs `body` on a thread of its own.
func onThread(_ body: @escaping @Sendable () -> Void) {
    Thread.detachNewThread(body)
}

/// Expects an error of this code, and returns it.
@discardableResult
func expectError<Result>(
    _ code: ErrorCode, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(ProvisioningError) -> Result
) -> ProvisioningError? {
    do throws(ProvisioningError) {
        _ = try body()
        Issue.record("no error, expected \(code)", sourceLocation: sourceLocation)
        return nil
    } catch {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    }
}

/// Whether the process exists, even as a zombie.
func exists(_ process: Int32) -> Bool { kill(process, 0) == 0 }
