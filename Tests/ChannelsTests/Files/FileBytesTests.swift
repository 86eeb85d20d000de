import Foundation
import Testing

@testable import Channels

@Suite struct FileBytesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func pipe() throws -> String {
        let path = folder.path + "/pipe"
        try #require(mkfifo(path, 0o600) == 0)
        return path
    }

    /// At the sizes of its buffers too.
    @Test(arguments: [0, 1, 4096, 65_535, 65_536, 65_537, 200_000])
    func aFileUpToItsLimit(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let path = try folder.file("file", bytes)
        for limit in [count, count + 1, 1 << 20] {
            #expect(try FileBytes.read(path, limit: limit) == bytes)
            #expect(try FileBytes.readRegular(path, limit: limit) == bytes)
        }
        guard count > 0 else { return }
        #expect(throws: FileBytes.tooLarge) { try FileBytes.read(path, limit: count - 1) }
        #expect(throws: FileBytes.tooLarge) { try FileBytes.readRegular(path, limit: count - 1) }
    }

    @Test func whatIsNoFile() throws {
        let pipe = try pipe()
        #expect(throws: SystemError(EISDIR)) { try FileBytes.read(folder.path, limit: 1) }
        #expect(throws: SystemError(EISDIR)) { try FileBytes.readRegular(folder.path, limit: 1) }
        #expect(throws: SystemError(ENOENT)) { try FileBytes.read(pipe + "2", limit: 1) }
        #expect(throws: FileBytes.noFile) { try FileBytes.readRegular(pipe, limit: 1) }
        // It has no end, and no size that would tell.
        #expect(throws: FileBytes.tooLarge) { try FileBytes.read("/dev/zero", limit: 1 << 20) }
    }

    /// A shell's `<(…)` writes when it comes to it.
    @Test func aPipeWhoseWriterComesLate() throws {
        let path = try pipe()
        #expect(try FileBytes.read(path, limit: 10) == [])
        onThread {
            let writer = open(path, O_WRONLY)
            for part in ["wor", "d"] {
                usleep(50_000)
                _ = write(writer, part, part.utf8.count)
            }
            close(writer)
        }
        #expect(try FileBytes.read(path, limit: 10, waits: true) == Array("word".utf8))
    }
}
