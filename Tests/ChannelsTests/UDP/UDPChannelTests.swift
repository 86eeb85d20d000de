import Foundation
import Provisioning
import ProvisioningTesting
import Testing

@testable import Channels

/// A socket for datagrams on 127.0.0.1, with a port of its own.
private final class DatagramSocket: Sendable {
    let descriptor: Int32
    let port: UInt16

    init(to peer: UInt16? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        var own = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        try withUnsafeMutablePointer(to: &own) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try #require(bind(descriptor, $0, length) == 0)
                try #require(getsockname(descriptor, $0, &length) == 0)
            }
        }
        port = UInt16(bigEndian: own.sin_port)
        // No test hangs on a datagram that was lost.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    func send(_ bytes: [UInt8], to port: UInt16) {
        var peer = Self.address(port)
        let count = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, bytes, bytes.count, 0, $0,
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(count == bytes.count)
    }

    /// A datagram, and the port that it came from.
    func receive() throws -> (bytes: [UInt8], port: UInt16) {
        var peer = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
        try #require(count >= 0)
        return (Array(buffer.prefix(count)), UInt16(bigEndian: peer.sin_port))
    }
}

private final class DatagramEnd: ChannelFarEnd {
    private let socket: DatagramSocket
    private let port: UInt16

    init(_ socket: DatagramSocket, to port: UInt16) { (self.socket, self.port) = (socket, port) }

    func send(_ bytes: [UInt8]) throws { socket.send(bytes, to: port) }

    func receive(atMost limit: Int, within timeout: Duration) throws -> [UInt8] {
        Array(try socket.receive().bytes.prefix(limit))
    }

    func leave() throws {}
}

@Suite struct UDPChannelTests {
    private let device: DatagramSocket
    private let interruption: Interruption

    init() throws {
        device = try DatagramSocket()
        interruption = try Interruption()
    }

    private func channel(
        _ host: String = "127.0.0.1", port: UInt16? = nil, patience: Duration = .zero
    ) throws -> UDPChannel {
        try UDPChannel(
            UDPEndpoint(parsing: "udp:\(host):\(port ?? device.port)"), within: .seconds(20),
            patience: patience, interruption: interruption)
    }

    @Test func aReadIsOneDatagram() throws {
        let channel = try channel()
        #expect(channel.carriesDatagrams)
        #expect(channel.name == "udp:127.0.0.1:\(device.port)")
        try channel.write([1, 2, 3], within: .seconds(20))
        try channel.write([4], within: .seconds(20))
        let first = try device.receive()
        #expect(first.bytes == [1, 2, 3])
        #expect(try device.receive().bytes == [4])
        for bytes in [[5, 6], [], [7]] as [[UInt8]] { device.send(bytes, to: first.port) }
        #expect(try channel.read(atMost: 100, within: .seconds(20)) == [5, 6])
        // One without a byte says nothing.
        #expect(try channel.read(atMost: 100, within: .seconds(20)) == [7])
        #expect(try channel.read(atMost: 100, within: .zero) == [])
        // What does not fit is no part of the next.
        device.send([UInt8](repeating: 1, count: 60_000), to: first.port)
        device.send([8], to: first.port)
        #expect(try channel.read(atMost: 100, within: .seconds(20)).count == 100)
        #expect(try channel.read(atMost: 100, within: .seconds(20)) == [8])
    }

    /// Also before the device has said anything.
    @Test func nobodyElseIsHeard() throws {
        let channel = try channel()
        try channel.write([1], within: .seconds(20))
        let port = try device.receive().port
        let stranger = try DatagramSocket()
        stranger.send([66], to: port)
        device.send([2], to: port)
        #expect(try channel.read(atMost: 100, within: .seconds(20)) == [2])
        stranger.send([66], to: port)
        #expect(try channel.read(atMost: 100, within: .milliseconds(100)) == [])
    }

    @Test func nobodyListens() throws {
        let port: UInt16
        do { port = try DatagramSocket().port }
        let channel = try channel(port: port)
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try channel.write([1], within: .seconds(20))
            _ = try channel.read(atMost: 10, within: .seconds(20))
        }
        #expect(error?.reason.contains("nobody listens on udp:127.0.0.1:\(port)") == true)
        #expect(error?.hint != nil)
    }

    /// A device that starts has no port yet: what is refused then was lost, and the next is sent.
    @Test func aDeviceMayOpenItsPortLate() throws {
        let port: UInt16
        do { port = try DatagramSocket().port }
        let channel = try channel(port: port, patience: .seconds(60))
        for _ in 0..<3 {
            try channel.write([1], within: .seconds(20))
            #expect(try channel.read(atMost: 10, within: .milliseconds(20)) == [])
        }
        let late = try DatagramSocket()
        let other = try self.channel(port: late.port, patience: .seconds(60))
        try other.write([2], within: .seconds(20))
        #expect(try late.receive().bytes == [2])
    }

    /// One that has answered may restart, but not for ever.
    @Test func aDeviceMayGoAway() throws {
        let channel: UDPChannel
        do {
            let device = try DatagramSocket()
            channel = try self.channel(port: device.port)
            try channel.write([1], within: .seconds(20))
            device.send([2], to: try device.receive().port)
            #expect(try channel.read(atMost: 10, within: .seconds(20)) == [2])
        }
        let error = expectError(.channelClosed) { () throws(ProvisioningError) in
            for _ in 0..<600 {
                try channel.write([3], within: .seconds(20))
                _ = try channel.read(atMost: 10, within: .milliseconds(100))
            }
        }
        #expect(error?.reason.contains("any more") == true)
    }

    /// A name with several addresses is a device at one of them.
    @Test func theAddressThatAnswersIsTheDevice() throws {
        let channel = try channel("localhost")
        for _ in 0..<2 { try channel.write([1], within: .seconds(20)) }
        let port = try device.receive().port
        device.send([9], to: port)
        #expect(try channel.read(atMost: 10, within: .seconds(20)) == [9])
        try channel.write([2], within: .seconds(20))
        #expect(try device.receive().bytes == [1])
        #expect(try device.receive().bytes == [2])
    }

    @Test func tooLongForADatagram() throws {
        let channel = try channel()
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try channel.write([UInt8](repeating: 1, count: 65_508), within: .seconds(20))
        }
        #expect(error?.reason.contains("65508") == true)
    }

    @Test func anInterruptionEndsAWait() throws {
        let channel = try channel()
        interruption.interrupt()
        expectError(.interrupted) { () throws(ProvisioningError) in
            try channel.read(atMost: 10, within: .seconds(60))
        }
        channel.close()
        channel.close()
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try channel.read(atMost: 10, within: .seconds(60))
        }
    }

    /// What datagrams can keep of a channel's promises.
    @Test(arguments: ChannelCheck.allCases)
    func keepsItsPromises(_ check: ChannelCheck) throws {
        let kept: [ChannelCheck] = [
            .readsWhatThereIs, .readsNothingInTime, .closesForGood, .endsWhenInterrupted, .hasAName,
        ]
        let isChecked = try check.run {
            let channel = try channel()
            // A device knows its host by the first datagram.
            try channel.write([0], within: .seconds(20))
            return ChannelUnderTest(
                channel: channel, farEnd: DatagramEnd(device, to: try device.receive().port),
                interrupt: { [interruption] in interruption.interrupt() }, noticesLeaving: false)
        }
        #expect(isChecked == kept.contains(check))
    }

    @Test(arguments: [
        ("udp:board", "udp:board:1337"), ("udp:10.0.0.7:99", "udp:10.0.0.7:99"),
        ("udp:[::1]", "udp:[::1]:1337"), ("udp:[fe80::1%eth0]:7", "udp:[fe80::1%eth0]:7"),
    ])
    func anEndpoint(_ text: String, _ expected: String) throws {
        #expect(try UDPEndpoint(parsing: text).description == expected)
    }

    @Test(arguments: [
        "udp:", "udp::1337", "udp:board:", "udp:board:0", "udp:board:65536", "udp:::1",
        "udp:[::1", "udp:a b", "board", "tcp:board:1", "udp:board:1:2", "udp:[]", "udp:unix:/x",
    ])
    func noEndpoint(_ text: String) {
        let error = expectError(.usage) { () throws(ProvisioningError) in
            try UDPEndpoint(parsing: text)
        }
        #expect(error?.reason.contains("\"\(text)\"") == true)
    }
}
