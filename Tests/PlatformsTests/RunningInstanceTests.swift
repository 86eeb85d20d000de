import Foundation
import Platforms
import Testing

/// What is said of emulated boards that run, by the folders that they keep.
@Suite struct RunningInstanceTests {
    private let folder: TemporaryFolder
    private var place: String { "\(folder.path)/emulated/kitchen" }

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/emulated/kitchen", withIntermediateDirectories: true)
    }

    private func list() -> [RunningInstance] { RunningInstance.list(stateDirectory: folder.path) }

    /// Behind the holder's number, in the file that is locked.
    private func publish(_ text: String) throws {
        try Data("\(getpid())\n\(text)".utf8).write(to: URL(filePath: "\(place)/lock"))
    }

    /// As who runs the board does.
    private func hold() throws -> FileHandle {
        try Data().write(to: URL(filePath: "\(place)/lock"))
        let handle = try FileHandle(forUpdating: URL(filePath: "\(place)/lock"))
        try #require(flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
        return handle
    }

    @Test func oneThatIsHeldRuns() throws {
        #expect(list().isEmpty)
        let lock = try hold()
        try publish("native\n/dev/pts/7\n\n\(getpid())\n")
        let running = try #require(list().first)
        #expect(running.instance == "kitchen" && running.holder.processID == getpid())
        #expect(running.endpoints?.platform == "native")
        #expect(running.endpoints?.port == "/dev/pts/7" && running.endpoints?.probe == nil)
        try publish("microbit-qemu\n/dev/pts/7\nunix:/x/gdb\n\(getpid())\n")
        #expect(list().first?.endpoints?.probe == "unix:/x/gdb")
        // Looking takes nothing away.
        #expect(flock(lock.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
        // Open still, as for whoever looks into it, and for a process that somebody starts at this moment.
        #expect(flock(lock.fileDescriptor, LOCK_UN) == 0)
        #expect(list().isEmpty)
        try lock.close()
    }

    /// Of an earlier run that was killed, half written, or nonsense.
    @Test(arguments: [
        "native\n/dev/pts/7\n\n1\n", "native\n/dev/pts/7\n\n", "", "\n\n\n\n",
        "native\npts/7\n\n\(getpid())\n", "Native\n/dev/pts/7\n\n\(getpid())\n",
        "native\n/dev/pts/7\n\n\(getpid())\nmore\n",
    ])
    func whatIsNotItsOwnIsNotBelieved(text: String) throws {
        let lock = try hold()
        defer { try? lock.close() }
        try publish(text)
        let running = try #require(list().first)
        #expect(running.endpoints == nil)
    }
}
