import Foundation
import Synchronization

/// A chip with RAM behind a JTAG probe, for the real OpenOCD: a fake in place of a board. It serves one
/// client that speaks OpenOCD's remote_bitbang protocol.
package final class JTAGProbe: Sendable {
    /// The TCP port on the loopback interface.
    package let port: UInt16
    package let ram: TargetRAM
    private let listener: Int32

    package struct Failure: Error { package let number: Int32 }

    package init(_ ram: TargetRAM) throws {
        self.ram = ram
        let (listener, port) = try Self.listen()
        self.listener = listener
        self.port = port
        Thread.detachNewThread { [ram] in
            while case let peer = accept(listener, nil, nil), peer >= 0 {
                _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
                Self.serve(peer, ram)
                close(peer)
            }
            // Here and not in `deinit`: before this thread accepts, its number may be another listener's.
            close(listener)
        }
    }

    /// The thread that accepts ends, even if it has not begun.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// A TCP port of the loopback interface that nobody has at this moment.
    package static func freePort() throws -> UInt16 {
        let (listener, port) = try listen()
        close(listener)
        return port
    }

    private static func listen() throws -> (descriptor: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && Glibc.listen(listener, 1) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isListening else { throw Failure(number: errno) }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    private static func serve(_ peer: Int32, _ ram: TargetRAM) {
        var chip = TestAccessPort()
        var requests = [UInt8](repeating: 0, count: 1 << 16)
        var answers: [UInt8] = []
        while case let count = read(peer, &requests, requests.count), count > 0 {
            answers.removeAll(keepingCapacity: true)
            for request in requests[..<count] {
                switch request {
                case UInt8(ascii: "0")...UInt8(ascii: "7"):
                    let pins = request - UInt8(ascii: "0")
                    chip.drive(
                        clock: pins & 4 != 0, mode: pins & 2 != 0, input: pins & 1 != 0, ram)
                case UInt8(ascii: "R"):
                    answers.append(UInt8(ascii: chip.output ? "1" : "0"))
                case UInt8(ascii: "Q"):
                    return
                default:
                    // Its lamp, and resets.
                    break
                }
            }
            guard answers.isEmpty || send(answers, to: peer) else { return }
        }
    }

    private static func send(_ bytes: [UInt8], to peer: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    peer, buffer.baseAddress?.advanced(by: sent), buffer.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
