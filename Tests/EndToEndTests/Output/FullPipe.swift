import Foundation
import Synchronization
import Testing

/// A pipe that nobody reads, and that takes nothing more, until `drain`.
final class FullPipe: Sendable {
    private let reader: Int32
    private let writer: Int32
    private let content = Mutex<[UInt8]>([])
    private let isDrained = Mutex(false)

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reader, writer) = (ends[0], ends[1])
        _ = fcntl(writer, F_SETFL, O_NONBLOCK)
        let page = [UInt8](repeating: UInt8(ascii: "."), count: 4096)
        while write(writer, page, page.count) > 0 {}
        try #require(errno == EAGAIN)
        // Whoever gets it waits in a write, as a shell's pipe has it.
        _ = fcntl(writer, F_SETFL, 0)
    }

    deinit {
        close(writer)
        // Its reader has it else.
        if !isDrained.withLock({ $0 }) { close(reader) }
    }

    /// For a process to write to.
    var input: FileHandle { FileHandle(fileDescriptor: writer, closeOnDealloc: false) }

    /// What came since it was full, as far as it was read.
    var text: String {
        let bytes = content.withLock { $0 }.drop { $0 == UInt8(ascii: ".") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// From now on everything is read, to the end.
    func drain() {
        isDrained.withLock { $0 = true }
        Thread.detachNewThread { [reader, weak self] in
            defer { close(reader) }
            var buffer = [UInt8](repeating: 0, count: 4096)
            while case let count = read(reader, &buffer, buffer.count), count > 0 {
                self?.content.withLock { $0 += buffer[..<count] }
            }
        }
    }

    /// Whether `text` came before a minute is over.
    func says(_ text: String) -> Bool {
        for _ in 0..<1200 {
            if self.text.contains(text) { return true }
            usleep(50_000)
        }
        return false
    }
}
