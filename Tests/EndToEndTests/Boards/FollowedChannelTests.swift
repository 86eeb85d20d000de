import Channels
import Foundation
import Provisioning
import ProvisioningTesting
import Testing

@testable import provision

/// The channel of a board that has left once, right after it was flashed.
@Suite struct FollowedChannelTests {
    private static func pair() throws -> (near: Int32, far: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    @Test(arguments: ChannelCheck.allCases)
    func keepsAChannelsPromises(_ check: ChannelCheck) throws {
        #expect(
            try check.run {
                let interruption = try Interruption()
                let (gone, back) = (try Self.pair(), try Self.pair())
                close(gone.far)
                var next: StreamChannel? = try StreamChannel(
                    descriptor: back.near, name: "back", interruption: interruption)
                let channel = FollowedChannel(
                    try StreamChannel(
                        descriptor: gone.near, name: "gone", interruption: interruption),
                    until: .now + .seconds(600)
                ) { () throws(ProvisioningError) in
                    // It comes back once.
                    guard let channel = next else {
                        throw ProvisioningError(.channelClosed, "it is gone for good")
                    }
                    next = nil
                    return channel
                }
                return ChannelUnderTest(
                    channel: channel, farEnd: try SocketEnd(back.far),
                    interrupt: { interruption.interrupt() })
            })
    }

    /// Whoever closes it is not looking for the board any more.
    @Test func isNotReopenedOnceItIsClosed() throws {
        let ends = try Self.pair()
        defer { close(ends.far) }
        var looks = 0
        let channel = FollowedChannel(
            try StreamChannel(descriptor: ends.near, name: "board", interruption: Interruption()),
            until: .now + .seconds(600)
        ) { () throws(ProvisioningError) in
            looks += 1
            throw ProvisioningError(.channelUnavailable, "nothing there")
        }
        channel.close()
        let error = #expect(throws: ProvisioningError.self) {
            try channel.read(atMost: 1, within: .zero)
        }
        #expect(error?.code == .channelClosed)
        #expect(looks == 0)
    }
}

/// The device's end of a socket.
private final class SocketEnd: ChannelFarEnd {
    // One direction each: reader and writer may be two threads.
    private nonisolated(unsafe) let input: StreamChannel
    private nonisolated(unsafe) let output: StreamChannel
    private let descriptor: Int32

    init(_ descriptor: Int32) throws {
        self.descriptor = descriptor
        let interruption = try Interruption()
        input = try StreamChannel(
            descriptor: descriptor, name: "device", interruption: interruption)
        output = try StreamChannel(
            descriptor: dup(descriptor), name: "device", interruption: interruption)
    }

    func send(_ bytes: [UInt8]) throws { try output.write(bytes, within: .seconds(120)) }

    func receive(atMost limit: Int, within timeout: Duration) throws -> [UInt8] {
        try input.read(atMost: limit, within: timeout)
    }

    func leave() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
