import Foundation
import JTAGProbe
import Provisioning
import Testing

@testable import Channels

/// A log that whoever connects brings.
@Suite struct ListeningLogTests {
    private let interruption: Interruption
    private let port: UInt16

    init() throws {
        interruption = try Interruption()
        port = try JTAGProbe.freePort()
    }

    private func listen(_ host: String = "127.0.0.1") throws(ProvisioningError) -> ListeningLog {
        try ListeningLog(
            host: host, port: port, within: .seconds(60), interruption: interruption)
    }

    private func connect(_ host: String = "127.0.0.1") throws -> StreamChannel {
        try StreamChannel.connect(
            host: host, port: port, within: .seconds(60), interruption: Interruption())
    }

    private func text(_ log: ListeningLog, _ count: Int) throws -> String {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try log.read(atMost: count - bytes.count, within: .seconds(60))
            guard !more.isEmpty else { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func oneIsHeardAfterTheOther() throws {
        let log = try listen()
        #expect(log.name == "listen:127.0.0.1:\(port)")
        #expect(!log.isFile)
        #expect(try log.read(atMost: 9, within: .milliseconds(1)).isEmpty)
        let first = try connect()
        try first.write(Array("one\n".utf8), within: .seconds(60))
        #expect(try text(log, 4) == "one\n")
        // The second one waits, and nothing of it is lost.
        let second = try connect()
        try second.write(Array("three\n".utf8), within: .seconds(60))
        #expect(try log.read(atMost: 9, within: .milliseconds(20)).isEmpty)
        try first.write(Array("two\n".utf8), within: .seconds(60))
        first.close()
        #expect(try text(log, 10) == "two\nthree\n")
        second.close()
        #expect(try log.read(atMost: 9, within: .milliseconds(20)).isEmpty)
        let third = try connect()
        try third.write(Array("four\n".utf8), within: .seconds(60))
        #expect(try text(log, 5) == "four\n")
    }

    /// Who looks whether a port is open, or has nothing to say yet, is in nobody's way.
    @Test func whoSaysNothingIsNotWaitedFor() throws {
        let log = try listen()
        #expect(try !log.hasClient())
        let silent = try (1...20).map { _ in
            let client = try connect()
            // More of them than the system keeps until they are accepted.
            #expect(try log.read(atMost: 9, within: .zero).isEmpty)
            return client
        }
        try log.awaitClient(within: .zero)
        #expect(try log.hasClient())
        let speaker = try connect()
        try speaker.write(Array("one\n".utf8), within: .seconds(60))
        #expect(try text(log, 4) == "one\n")
        // Nothing of who waited is lost, nor heard in between.
        try silent[19].write(Array("two\n".utf8), within: .seconds(60))
        #expect(try log.read(atMost: 9, within: .milliseconds(20)).isEmpty)
        speaker.close()
        #expect(try text(log, 4) == "two\n")
        for client in silent { client.close() }
        var looks = 0
        while try log.hasClient(), looks < 1000 {
            #expect(try log.read(atMost: 9, within: .milliseconds(20)).isEmpty)
            looks += 1
        }
        #expect(try !log.hasClient())
    }

    @Test(arguments: [
        (EACCES, "below 1024"), (EMFILE, "ulimit -n"), (ENFILE, "ulimit -n"), (ENOBUFS, "memory"),
        (EADDRNOTAVAIL, "address of this computer"),
    ])
    func theHintIsForWhatIsWrong(number: Int32, hint: String) {
        let error = ProvisioningError.deaf("listen:localhost:1", SystemError(number))
        #expect(error.hint?.contains(hint) == true, "\(error)")
    }

    /// What one left unfinished does not go on with what another says.
    @Test func aLineThatIsCutEnds() throws {
        let log = try listen()
        let first = try connect()
        try first.write(Array("PROVISION-EVID".utf8), within: .seconds(60))
        first.close()
        #expect(try text(log, 14) == "PROVISION-EVID")
        let second = try connect()
        try second.write(Array("ENCE-1 x\n".utf8), within: .seconds(60))
        #expect(try text(log, 10) == "\nENCE-1 x\n")
    }

    /// A reset connection is an end like another.
    @Test func whoBreaksOffIsNoFailure() throws {
        let log = try listen()
        let first = try connect()
        try first.write(Array("one\n".utf8), within: .seconds(60))
        #expect(try text(log, 4) == "one\n")
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            first.pollDescriptor, SOL_SOCKET, SO_LINGER, &linger,
            socklen_t(MemoryLayout<Glibc.linger>.size))
        first.close()
        let second = try connect()
        try second.write(Array("two\n".utf8), within: .seconds(60))
        #expect(try text(log, 4) == "two\n")
    }

    @Test func whatCameBeforeIsDropped() throws {
        let log = try listen()
        let client = try connect()
        try client.write(Array("old\n".utf8), within: .seconds(60))
        try log.awaitClient(within: .seconds(60))
        try log.discard()
        try client.write(Array("new\n".utf8), within: .seconds(60))
        #expect(try text(log, 4) == "new\n")
    }

    /// A port scan is no log, nor is one that is silent as long as somebody else may come.
    @Test func whoLeavesWithoutAWordIsNotWhoIsAwaited() throws {
        let log = try listen()
        try connect().close()
        expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try log.awaitClient(within: .milliseconds(50))
        }
        let silent = try connect()
        let speaker = try connect()
        try speaker.write(Array("one\n".utf8), within: .seconds(60))
        try log.awaitClient(within: .seconds(60))
        #expect(try text(log, 4) == "one\n")
        silent.close()
    }

    /// Whoever connected: of the firmware before, nobody's words count.
    @Test func alsoWhoWaitsIsDiscarded() throws {
        let log = try listen()
        let silent = try connect()
        let clients = try (1...3).map { number in
            let client = try connect()
            try client.write(Array("old \(number)\n".utf8), within: .seconds(60))
            return client
        }
        try log.awaitClient(within: .seconds(60))
        try log.discard()
        #expect(try log.read(atMost: 99, within: .milliseconds(20)).isEmpty)
        for client in clients { client.close() }
        try silent.write(Array("new\n".utf8), within: .seconds(60))
        #expect(try text(log, 4) == "new\n")
    }

    @Test func whoeverHasThePortIsNamed() throws {
        let log = try listen()
        let error = expectError(.channelBusy) { () throws(ProvisioningError) in try listen() }
        #expect(error?.reason.contains("listen:127.0.0.1:\(port) is taken") == true)
        #expect(error?.reason.contains("(process \(getpid()))") == true, "\(error?.reason ?? "")")
        #expect(error?.hint != nil)
        log.close()
        _ = try listen()
    }

    @Test func onlyThisComputersAddressesCanBeHeard() throws {
        // 192.0.2.0/24 is for documentation: RFC 5737.
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try listen("192.0.2.1")
        }
        #expect(error?.reason.contains("listen:192.0.2.1:\(port)") == true)
        #expect(error?.hint?.contains("localhost") == true)
    }

    /// By name, every address of the loopback is heard, and no other.
    @Test func theLoopbackIsHeard() throws {
        let log = try listen("localhost")
        for host in ["127.0.0.1", "localhost"] {
            let client = try connect(host)
            try client.write(Array("x\n".utf8), within: .seconds(60))
            #expect(try text(log, 2) == "x\n")
        }
    }

    @Test func nobodyIsWaitedForTooLong() throws {
        let log = try listen()
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try log.awaitClient(within: .milliseconds(30))
        }
        #expect(error?.reason == "nobody connected to \(log.name) in 30 ms")
        #expect(error?.hint?.contains("cargo-embed") == true)
        expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try log.write([1], within: .seconds(1))
        }
        interruption.interrupt()
        expectError(.interrupted) { () throws(ProvisioningError) in
            try log.awaitClient(within: .seconds(60))
        }
        expectError(.interrupted) { () throws(ProvisioningError) in
            try log.read(atMost: 1, within: .seconds(60))
        }
        log.close()
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try log.read(atMost: 1, within: .zero)
        }
    }
}
