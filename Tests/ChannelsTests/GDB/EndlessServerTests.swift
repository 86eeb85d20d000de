import Foundation
import Provisioning
import Testing

@testable import Channels

/// What a GDB server that sends without end does to those who wait for an answer of it.
@Suite struct EndlessServerTests {
    @Test(
        "a client gives up in time",
        arguments: [
            ("+", ErrorCode.probeProtocol), ("%a#61", .probeProtocol), ("$T05#b9", .probeProtocol),
            // A repeat of nothing never makes the packet longer.
            ("*\u{1}", .probeUnavailable),
        ])
    func bounds(_ piece: String, _ code: ErrorCode) throws {
        let server = try EndlessServer(piece, after: "m0,2")
        let remote = try server.connect()
        expectError(code) { () throws(ProvisioningError) in
            try remote.readMemory(at: 0, count: 2)
        }
        remote.close()
        #expect(server.wasHungUpOn)
    }

    @Test func boundsTheOutputOfACommand() throws {
        let server = try EndlessServer("$O#4f", after: "qRcmd,")
        let remote = try server.connect()
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            try remote.monitor("reset")
        }
        remote.close()
        #expect(server.wasHungUpOn)
    }

    /// Late, and then again and again: a request that was given up is answered without end.
    @Test func boundsLateAnswers() throws {
        let server = try EndlessServer("$T05#b9", after: "m20000000,4", pause: .seconds(1))
        let remote = try server.connect()
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            _ = try remote.readsWhileRunning(at: 0x2000_0000)
        }
        remote.close()
        #expect(server.wasHungUpOn)
    }

    @Test func boundsWhatCameUnasked() throws {
        let server = try EndlessServer("+", after: "m0,2")
        let remote = try server.connect()
        _ = try? remote.readMemory(at: 0, count: 2)
        // On a busy machine the server misses its turn, and what it sends has an end for once.
        let deadline = Deadline(within: .seconds(60))
        expectError(.probeProtocol) { () throws(ProvisioningError) in
            while !deadline.isPast { _ = try remote.discardUnasked() }
        }
        remote.close()
        #expect(server.wasHungUpOn)
    }
}

/// Behaves until it hears a request with a prefix, then sends the same piece until the client hangs up.
private final class EndlessServer: Sendable {
    private let clientEnd: Int32
    private let isEnding = DispatchSemaphore(value: 0)

    init(_ piece: String, after prefix: String, pause: Duration = .zero) throws {
        let (clientEnd, serverEnd) = try socketPair()
        self.clientEnd = clientEnd
        let flood = (piece.hasPrefix("*") ? "$" : "") + String(repeating: piece, count: 4096)
        let more = Array(flood.utf8.drop { $0 == UInt8(ascii: "$") && piece.hasPrefix("*") })
        onThread { [isEnding] in
            defer { close(serverEnd) }
            guard Self.behave(serverEnd, until: prefix) else { return }
            usleep(useconds_t(pause / .microseconds(1)))
            var bytes = Array(flood.utf8)
            let deadline = Deadline(within: .seconds(120))
            while !deadline.isPast {
                let count = Glibc.send(serverEnd, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else {
                    isEnding.signal()
                    return
                }
                // Pieces stay whole.
                bytes = count < bytes.count ? Array(bytes[count...]) : more
            }
        }
    }

    /// Whether the client hung up, before two minutes were over.
    var wasHungUpOn: Bool { isEnding.wait(timeout: .now() + 120) == .success }

    func connect() throws -> GDBRemote {
        let channel = try StreamChannel(
            descriptor: clientEnd, name: "endless", interruption: Interruption())
        return try GDBRemote(channel: channel, replyTimeout: .seconds(2))
    }

    /// False: the client is gone before it asks for it.
    private static func behave(_ end: Int32, until prefix: String) -> Bool {
        var decoder = GDBPacketDecoder(maximumLength: 4096)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(end, &buffer, buffer.count)
            guard count > 0 else { return false }
            for byte in buffer[..<count] {
                guard case .packet(let data)? = decoder.decode(byte) else { continue }
                let request = String(decoding: data, as: UTF8.self)
                if request.hasPrefix(prefix) { return true }
                // Answered when the core stops.
                if request == "c" { continue }
                let answer = request.hasPrefix("qSupported") ? "QStartNoAckMode+" : "OK"
                let packet = Array("+".utf8) + GDBPacket.encoded(answer.utf8)
                _ = Glibc.send(end, packet, packet.count, Int32(MSG_NOSIGNAL))
            }
        }
    }
}
