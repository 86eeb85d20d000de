import Foundation
import SMP
import Synchronization
import Testing

/// Puts a device that speaks on a serial port on the network of this computer: each of its frames is a
/// datagram, and each datagram a frame. What is no frame stays behind.
final class DatagramRelay: Sendable {
    /// On 127.0.0.1.
    let port: UInt16
    private let server: Int32
    private let line: Int32
    private let stop = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(_ serialPort: String) throws {
        line = open(serialPort, O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(line >= 0)
        (server, port) = try DatagramLine.listener()
        Thread.detachNewThread { [self] in
            carry()
            hasEnded.signal()
        }
    }

    func end() {
        stop.withLock { $0 = true }
        hasEnded.wait()
        close(server)
        close(line)
    }

    private func carry() {
        var peer = sockaddr_in()
        // More than the host takes: it shall see for itself.
        var decoder = SerialFrameDecoder(maximumMessageLength: 60_000)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !stop.withLock({ $0 }) {
            var entries = [server, line].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = poll(&entries, 2, 20)
            if entries[0].revents != 0 {
                let count = DatagramLine.receive(server, &buffer, &peer)
                let lines = try? SerialFrame.lines(of: Array(buffer.prefix(max(0, count))))
                for bytes in lines ?? [] { _ = write(line, bytes, bytes.count) }
            }
            if entries[1].revents != 0 {
                let count = read(line, &buffer, buffer.count)
                guard count > 0 else { return }
                for case .message(let message) in decoder.push(buffer.prefix(count)) {
                    DatagramLine.send(message, server, peer)
                }
            }
        }
    }
}
