import Channels
import Foundation
import Provisioning
import ProvisioningTesting

/// A gadget whose octets are those of a connection to this process.
final class Relay {
    /// The gadget's program and its arguments.
    private let command: [String]
    private var process: Process?

    init(command: [String]) { self.command = command }

    func open() throws -> ChannelUnderTest {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw Missing("a socket: \(errno)") }
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = [
            "GADGET_FAULT": "relay:\(UInt16(bigEndian: address.sin_port))",
            "PROVISION_NATIVE_STATE": "/run/relay",
        ]
        try process.run()
        self.process = process
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { throw Missing("a connection: \(errno)") }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        let interruption = try Interruption()
        while true {
            guard process.isRunning else { throw Missing("the gadget") }
            guard let interface = USBInterface.list().first else {
                usleep(20_000)
                continue
            }
            return ChannelUnderTest(
                channel: try USBBulkChannel(interface, interruption: interruption),
                farEnd: SocketEnd(connection), interrupt: { interruption.interrupt() })
        }
    }

    /// Its cable is pulled.
    func stop() {
        guard let process else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
        while !USBInterface.list().isEmpty { usleep(20_000) }
    }
}

/// The device's hands. When the connection ends, the gadget leaves the bus.
private final class SocketEnd: ChannelFarEnd {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Missing("the gadget: \(errno)") }
            rest = rest.dropFirst(count)
        }
    }

    func receive(atMost limit: Int, within timeout: Duration) throws -> [UInt8] {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: Int64(timeout / .milliseconds(1)))
        guard poll(&entry, 1, milliseconds) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        guard count > 0 else { throw Missing("the gadget: \(errno)") }
        return Array(buffer[..<count])
    }

    func leave() throws { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
