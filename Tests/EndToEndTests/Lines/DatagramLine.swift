import BadLine
import Foundation
import Synchronization
import Testing

/// A network between a run and a device on 127.0.0.1 that loses, doubles and reorders datagrams.
final class DatagramLine: Sendable {
    struct Counts: Sendable {
        var passed = 0
        var dropped = 0
        var doubled = 0
        var reordered = 0
    }

    /// Where the run finds the device.
    let port: UInt16
    private let near: Int32
    private let far: Int32
    private let stop = Mutex(false)
    private let faults: Mutex<Counts>
    private let hasEnded = DispatchSemaphore(value: 0)

    var counts: Counts { faults.withLock { $0 } }

    /// - Parameter rate: of each fault, for each datagram.
    init(to device: UInt16, rate: Double, seed: UInt64) throws {
        faults = Mutex(Counts())
        near = try Self.socket()
        far = try Self.socket()
        port = try Self.bind(near)
        var address = Self.address(device)
        let far = far
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
        Thread.detachNewThread { [self] in
            carry(rate, SeededGenerator(seed: seed))
            hasEnded.signal()
        }
    }

    func end() {
        stop.withLock { $0 = true }
        hasEnded.wait()
        close(near)
        close(far)
    }

    private func carry(_ rate: Double, _ seeded: SeededGenerator) {
        var generator = seeded
        var run = sockaddr_in()
        // For each direction, one that the next overtakes.
        var held: [[UInt8]?] = [nil, nil]
        while !stop.withLock({ $0 }) {
            var entries = [near, far].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let isQuiet = poll(&entries, 2, 20) == 0
            for side in 0...1 {
                if isQuiet, let late = held[side] {
                    send(late, from: side, run)
                    held[side] = nil
                }
                guard entries[side].revents != 0, let bytes = receive(side, &run) else { continue }
                for copy in pass(bytes, rate, &held[side], &generator) {
                    send(copy, from: side, run)
                }
            }
        }
    }

    /// What becomes of a datagram, and of the one before.
    private func pass(
        _ bytes: [UInt8], _ rate: Double, _ held: inout [UInt8]?,
        _ generator: inout SeededGenerator
    ) -> [[UInt8]] {
        let draw = Double.random(in: 0..<1, using: &generator)
        return faults.withLock { counts in
            counts.passed += 1
            if draw < rate {
                counts.dropped += 1
                return []
            }
            defer { held = draw >= rate * 2 && draw < rate * 3 ? held : nil }
            if draw >= rate * 2, draw < rate * 3, held == nil {
                counts.reordered += 1
                held = bytes
                return []
            }
            let late = held.map { [$0] } ?? []
            guard draw < rate * 2 else { return [bytes] + late }
            counts.doubled += 1
            return [bytes, bytes] + late
        }
    }

    private func receive(_ side: Int, _ run: inout sockaddr_in) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        guard side == 0 else {
            let count = recv(far, &buffer, buffer.count, 0)
            return count > 0 ? Array(buffer.prefix(count)) : nil
        }
        let count = Self.receive(near, &buffer, &run)
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    private func send(_ bytes: [UInt8], from side: Int, _ run: sockaddr_in) {
        guard side == 1 else {
            _ = Glibc.send(far, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            return
        }
        Self.send(bytes, near, run)
    }

    /// A datagram from `peer`; its length, or −1.
    static func receive(
        _ descriptor: Int32, _ buffer: inout [UInt8], _ peer: inout sockaddr_in
    ) -> Int {
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
    }

    static func send(_ bytes: [UInt8], _ descriptor: Int32, _ peer: sockaddr_in) {
        _ = withUnsafePointer(to: peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, bytes, bytes.count, 0, $0,
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// A socket on a port of 127.0.0.1.
    static func listener() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = try socket()
        return (descriptor, try bind(descriptor))
    }

    private static func socket() throws -> Int32 {
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(AF_INET, kind, 0)
        try #require(descriptor >= 0)
        return descriptor
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func bind(_ descriptor: Int32) throws -> UInt16 {
        var own = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &own) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try #require(Glibc.bind(descriptor, $0, length) == 0)
                try #require(getsockname(descriptor, $0, &length) == 0)
            }
        }
        return UInt16(bigEndian: own.sin_port)
    }
}
