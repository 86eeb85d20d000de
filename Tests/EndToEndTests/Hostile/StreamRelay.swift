import Channels
import Foundation
import ProvisioningTesting
import SMP
import Synchronization
import Testing

/// Puts a device that speaks on a serial port where a run finds it on another stream: on a tool's socket, as
/// it is; or on a line without the console framing, where each of its frames is a message, and what is no
/// frame stays what it is.
final class StreamRelay: Sendable {
    /// What `provision --port` gets.
    let port: String
    private let line: Int32
    /// The run's end; on a socket, the one that listens.
    private let far: Int32
    private let terminal: PseudoTerminal?
    private let isStopped = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// - Parameter line: a pty, whose other end is the device.
    convenience init(raw line: String) throws {
        let terminal = try PseudoTerminal()
        try self.init(line, terminal.path, terminal.master, terminal)
    }

    convenience init(socket line: String) throws {
        let (listener, port) = try LoopbackListener.make()
        try self.init(line, "tcp:127.0.0.1:\(port)", listener, nil)
    }

    private init(_ line: String, _ port: String, _ end: Int32, _ terminal: PseudoTerminal?) throws {
        self.line = open(line, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        try #require(self.line >= 0)
        (self.port, far, self.terminal) = (port, end, terminal)
        Thread.detachNewThread { [self] in
            if terminal != nil { carry(end, isRaw: true) } else { serve() }
            hasEnded.signal()
        }
    }

    /// To be called once.
    func end() {
        isStopped.withLock { $0 = true }
        hasEnded.wait()
        if let terminal { terminal.close() } else { close(far) }
        close(line)
    }

    private func serve() {
        while case let ready = isReady([far], POLLIN), !ready.isEmpty {
            let user = accept(far, nil, nil)
            carry(user, isRaw: false)
            close(user)
        }
    }

    /// Until one end hangs up, or all is over.
    private func carry(_ user: Int32, isRaw: Bool) {
        _ = fcntl(user, F_SETFL, fcntl(user, F_GETFL) | O_NONBLOCK)
        var requests = isRaw ? [UInt8]() : nil
        // More than the host takes: it shall see for itself.
        var decoder = SerialFrameDecoder(maximumMessageLength: 60_000)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let ready = isReady([user, line], POLLIN), !ready.isEmpty {
            if ready.contains(user) {
                let count = read(user, &buffer, buffer.count)
                guard count > 0 else { return }
                let bytes = buffer[..<count]
                guard send(Self.framed(bytes, &requests), to: line) else { return }
            }
            if ready.contains(line) {
                let count = read(line, &buffer, buffer.count)
                guard count > 0 else { return }
                let bytes = Array(buffer[..<count])
                let answers = isRaw ? decoder.push(bytes).map(Self.unframed) : [bytes]
                guard answers.allSatisfy({ send($0, to: user) }) else { return }
            }
        }
    }

    /// The frames of all messages that are whole.
    private static func framed(_ bytes: ArraySlice<UInt8>, _ messages: inout [UInt8]?) -> [UInt8] {
        guard messages != nil else { return Array(bytes) }
        messages! += bytes
        var frames: [UInt8] = []
        while let header = SMPHeader(messages!),
            case let length = SMPHeader.byteCount + Int(header.length), messages!.count >= length
        {
            frames +=
                (try? SerialFrame.lines(of: Array(messages!.prefix(length)))).map {
                    Array($0.joined())
                } ?? []
            messages!.removeFirst(length)
        }
        return frames
    }

    private static func unframed(_ event: SerialFrameEvent) -> [UInt8] {
        switch event {
        case .message(let bytes), .text(let bytes): bytes
        case .damaged, .oversized: []
        }
    }

    /// False: nobody takes it any more.
    private func send(_ bytes: [UInt8], to sink: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard !isReady([sink], POLLOUT).isEmpty else { return false }
            let count = rest.withUnsafeBytes { bytes in
                terminal == nil && sink != line
                    ? Glibc.send(sink, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                    : write(sink, bytes.baseAddress, bytes.count)
            }
            guard count > 0 || errno == EAGAIN else { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }

    /// Waits; empty when all is over.
    private func isReady(_ descriptors: [Int32], _ events: Int32) -> [Int32] {
        while !isStopped.withLock({ $0 }) {
            var entries = descriptors.map { pollfd(fd: $0, events: Int16(events), revents: 0) }
            guard poll(&entries, nfds_t(entries.count), 20) > 0 else { continue }
            return entries.filter { $0.revents != 0 }.map(\.fd)
        }
        return []
    }
}

/// A TCP socket that listens on the loopback interface.
enum LoopbackListener {
    /// Nil if nobody listens there.
    static func connection(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    static func make() throws -> (descriptor: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(listener >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        try #require(status, "no port: \(String(cString: strerror(errno)))")
        return (listener, UInt16(bigEndian: address.sin_port))
    }
}
