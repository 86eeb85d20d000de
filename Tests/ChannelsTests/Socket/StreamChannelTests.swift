import CHost
import Foundation
import Provisioning
import Testing

@testable import Channels

@Suite struct StreamChannelTests {
    @Test func readsWhatThereIsWithinTheLimit() throws {
        let (near, far) = try socketPair()
        defer { close(far) }
        let channel = try StreamChannel(
            descriptor: near, name: "pair", interruption: Interruption())
        #expect(try channel.read(atMost: 10, within: .zero) == [])
        #expect(write(far, "hello", 5) == 5)
        #expect(try channel.read(atMost: 3, within: .seconds(1)) == Array("hel".utf8))
        #expect(try channel.read(atMost: 3, within: .seconds(1)) == Array("lo".utf8))
        #expect(try channel.read(atMost: 0, within: .seconds(1)) == [])
    }

    @Test func deliversTheLastBytesBeforeTheEnd() throws {
        let (near, far) = try socketPair()
        let channel = try StreamChannel(
            descriptor: near, name: "pair", interruption: Interruption())
        #expect(write(far, "bye", 3) == 3)
        close(far)
        #expect(try channel.read(atMost: 10, within: .seconds(20)) == Array("bye".utf8))
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try channel.read(atMost: 10, within: .seconds(20))
        }
        let error = #expect(throws: ProvisioningError.self) {
            try channel.read(atMost: 10, within: .seconds(20))
        }
        #expect(error?.hint?.contains("ended the connection") == true)
        // No SIGPIPE either.
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try channel.write([1], within: .seconds(1))
        }
    }

    @Test func timesOutInTime() throws {
        let (near, far) = try socketPair()
        defer { close(far) }
        let channel = try StreamChannel(
            descriptor: near, name: "pair", interruption: Interruption())
        let start = ContinuousClock.now
        #expect(try channel.read(atMost: 1, within: .milliseconds(80)) == [])
        #expect(start.duration(to: .now) >= .milliseconds(80))
    }

    @Test func anInterruptionLasts() throws {
        let (near, far) = try socketPair()
        defer { close(far) }
        let interruption = try Interruption()
        let channel = try StreamChannel(descriptor: near, name: "pair", interruption: interruption)
        #expect(write(far, "x", 1) == 1)
        try interruption.check()
        interruption.interrupt()
        interruption.interrupt()
        #expect(interruption.isInterrupted)
        for _ in 0..<2 {
            expectError(.interrupted) { () throws(ProvisioningError) in
                try channel.read(atMost: 1, within: .seconds(1))
            }
        }
        expectError(.interrupted) { () throws(ProvisioningError) in
            try interruption.pause(for: .seconds(10))
        }
        channel.isShielded = true
        #expect(try channel.read(atMost: 1, within: .seconds(1)) == Array("x".utf8))
    }

    @Test func aSignalInterrupts() throws {
        let interruption = try Interruption.handlingSignals()
        defer { for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) } }
        #expect(!interruption.isInterrupted)
        kill(getpid(), SIGTERM)
        expectError(.interrupted) { () throws(ProvisioningError) in
            try interruption.pause(for: .seconds(10))
        }
    }

    @Test func connectsToAUnixSocketThatIsYetToCome() throws {
        // A socket's path has at most 107 bytes.
        let path = "/tmp/channels-\(UUID().uuidString.prefix(8)).sock"
        defer { unlink(path) }
        let interruption = try Interruption()
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try StreamChannel.connect(unix: path, interruption: interruption)
        }
        #expect(error?.reason.contains(path) == true)
        var attempts = 0
        let descriptor = try Socket.connect(
            to: .unix(path: path), within: .seconds(60), untilListening: true, interruption
        ) {
            attempts += 1
            guard attempts == 2 else { return }
            let listener = listen(at: path)
            onThread {
                let peer = accept(listener, nil, nil)
                close(listener)
                var bytes = [UInt8](repeating: 0, count: 3)
                _ = recv(peer, &bytes, 3, Int32(MSG_WAITALL))
                bytes.reverse()
                _ = write(peer, bytes, 3)
                close(peer)
            }
        }
        #expect(attempts >= 2)
        let channel = try StreamChannel(
            descriptor: descriptor, name: path, interruption: interruption)
        try channel.write(Array("abc".utf8), within: .seconds(5))
        #expect(try channel.read(atMost: 9, within: .seconds(20)) == Array("cba".utf8))
    }

    @Test func namesAPortWhereNobodyListens() throws {
        let interruption = try Interruption()
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try StreamChannel.connect(host: "127.0.0.1", port: 1, interruption: interruption)
        }
        #expect(error?.reason.contains("tcp:127.0.0.1:1") == true)
        expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try StreamChannel.connect(
                unix: String(repeating: "x", count: 200), interruption: interruption)
        }
    }

    @Test func findsAddresses() throws {
        let interruption = try Interruption()
        for host in ["127.0.0.1", "::1", "localhost"] {
            let found = try HostAddresses.find(
                host, 3333, until: Deadline(within: .seconds(60)), interruption)
            #expect(found.list != nil)
        }
    }

    @Test func saysWhyAHostHasNoAddress() throws {
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try HostAddresses.find(
                "board", 1, until: .never, Interruption(),
                resolver: { _, _ in .init(status: EAI_NONAME, list: nil) })
        }
        #expect(error?.reason.hasPrefix("no address for board: ") == true)
    }

    /// A name server that never answers.
    @Test func doesNotWaitForANameServer() throws {
        let isOver = DispatchSemaphore(value: 0)
        defer { isOver.signal() }
        let resolver: HostAddresses.Resolver = { _, _ in
            isOver.wait()
            isOver.signal()
            return .init(status: EAI_AGAIN, list: nil)
        }
        let interruption = try Interruption()
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try HostAddresses.find(
                "board", 1, until: Deadline(within: .milliseconds(50)), interruption,
                resolver: resolver)
        }
        #expect(error?.reason == "no address for board: no answer in time")
        interruption.interrupt()
        expectError(.interrupted) { () throws(ProvisioningError) in
            try HostAddresses.find("board", 1, until: .never, interruption, resolver: resolver)
        }
    }

    @Test(arguments: [
        ("tcp:localhost:3333", ProbeEndpoint.tcp(host: "localhost", port: 3333)),
        ("board.local:1", .tcp(host: "board.local", port: 1)),
        (":65535", .tcp(host: "localhost", port: 65535)),
        ("[::1]:2331", .tcp(host: "::1", port: 2331)),
        ("unix:/tmp/a b/ü.sock", .unix(path: "/tmp/a b/ü.sock")),
    ])
    func parsesEndpoints(_ text: String, _ expected: ProbeEndpoint) throws {
        let endpoint = try ProbeEndpoint(parsing: text)
        #expect(endpoint == expected)
        #expect(try ProbeEndpoint(parsing: endpoint.description) == expected)
    }

    @Test(arguments: [
        "", "tcp:", "localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:+1",
        "::1:3333", "unix:", "a b:1", "tcp:host:1:2", "host:１",
    ])
    func refusesMalformedEndpoints(_ text: String) {
        let error = expectError(.usage) { () throws(ProvisioningError) in
            try ProbeEndpoint(parsing: text)
        }
        #expect(error?.reason.contains("\"\(text)\"") == true)
    }
}

/// Listens on a unix socket for one peer.
private func listen(at path: String) -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            guard bind(listener, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0,
                listen(listener, 1) == 0
            else { return -1 }
            return listener
        }
    }
}
