import Foundation
import Provisioning
import ProvisioningTesting
import Testing

@testable import Channels

/// What the tool's own channels are promised to do, by the suite that adapter authors have.
@Suite struct ConformanceTests {
    @Test(arguments: ChannelCheck.allCases)
    func aSerialPort(_ check: ChannelCheck) throws {
        #expect(
            try check.run {
                let terminal = try UnopenedPort()
                let interruption = try Interruption()
                let port = try SerialPort(
                    path: terminal.path, baud: 115_200, interruption: interruption)
                return ChannelUnderTest(
                    channel: port, farEnd: DescriptorEnd(terminal.takeMaster()),
                    interrupt: { interruption.interrupt() })
            })
    }

    @Test(arguments: ChannelCheck.allCases)
    func aSocket(_ check: ChannelCheck) throws {
        #expect(
            try check.run {
                let (near, far) = try socketPair()
                let interruption = try Interruption()
                let channel = try StreamChannel(
                    descriptor: near, name: "pair", interruption: interruption)
                return ChannelUnderTest(
                    channel: channel, farEnd: DescriptorEnd(far),
                    interrupt: { interruption.interrupt() })
            })
    }

    /// The suite must find what is wrong, too.
    @Test(arguments: [
        (WrongChannel.Fault.losesBytes, ChannelCheck.deliversEveryByteInOrder),
        (.losesBytes, .losesNothingToTimeouts), (.translatesLineEnds, .sendsEveryByteInOrder),
        (.losesBytes, .carriesBothDirectionsAtOnce), (.waitsForMore, .readsWhatThereIs),
        (.exceedsLimits, .keepsWhatIsBeyondTheLimit), (.endsEarly, .readsNothingInTime),
        (.inventsBytes, .readsNothingInTime), (.swallowsWrites, .endsWritesInTime),
        (.hidesTheEnd, .noticesTheEnd), (.staysOpen, .closesForGood),
        (.hidesInterruptions, .endsWhenInterrupted), (.hasNoName, .hasAName),
    ])
    func aWrongChannelIsFound(_ fault: WrongChannel.Fault, _ check: ChannelCheck) throws {
        let violation = #expect(throws: ChannelViolation.self) {
            try check.run(patience: .seconds(1)) {
                let (near, far) = try socketPair()
                let interruption = try Interruption()
                let channel = try StreamChannel(
                    descriptor: near, name: "pair", interruption: interruption)
                return ChannelUnderTest(
                    channel: WrongChannel(channel, fault), farEnd: DescriptorEnd(far),
                    interrupt: { interruption.interrupt() })
            }
        }
        #expect(violation?.check == check)
    }
}

/// A descriptor as the device's end.
final class DescriptorEnd: ChannelFarEnd {
    private let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { close(descriptor) }

    struct Failure: Error { let number: Int32 }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno != EAGAIN, errno != EINTR {
                throw Failure(number: errno)
            } else {
                try wait(for: POLLOUT, milliseconds: 120_000)
            }
        }
    }

    func receive(atMost limit: Int, within timeout: Duration) throws -> [UInt8] {
        try wait(for: POLLIN, milliseconds: Int32(timeout / .milliseconds(1)))
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = read(descriptor, &bytes, limit)
        guard count >= 0 || errno == EAGAIN || errno == EINTR else { throw Failure(number: errno) }
        return Array(bytes.prefix(max(0, count)))
    }

    /// A shut-down socket, a pty's master that is closed while its number stays ours.
    func leave() throws {
        if shutdown(descriptor, Int32(SHUT_RDWR)) == 0 { return }
        // The slave has what was sent, and the end behind it.
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        guard dup2(nothing, descriptor) >= 0 else { throw Failure(number: errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    private func wait(for events: Int32, milliseconds: Int32) throws {
        var poll = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        guard Glibc.poll(&poll, 1, milliseconds) >= 0 || errno == EINTR else {
            throw Failure(number: errno)
        }
    }
}
