import CBOR
import CHost
import Foundation
import Provisioning
import SMP
import Synchronization
import Testing

@testable import Channels

/// A device at the far end of a pseudo-terminal that understands one rate, as a real one does: what comes
/// at another is noise to it, and its own text is noise to the host.
private final class RatedDevice: Sendable {
    private let stop = Mutex(false)
    private let ended = DispatchSemaphore(value: 0)
    private let payload: CBORMap
    private let garbage: Garbage

    /// What a host hears at a wrong rate.
    enum Garbage: CaseIterable {
        case noise
        /// A frame that lost a bit on its way.
        case damagedFrames
        /// Of somebody else on the line, or of an earlier run.
        case otherAnswers
        /// The host's own words, where a cable is looped.
        case echoes
        /// Whole, for this request, and nothing that the protocol knows.
        case noPayload
    }

    init(
        master: Int32, rate: UInt32, answering payload: CBORMap = ["r": ""],
        garbage: Garbage = .noise
    ) {
        self.payload = payload
        self.garbage = garbage
        onThread { [self] in
            defer {
                close(master)
                ended.signal()
            }
            var decoder = SerialFrameDecoder()
            var buffer = [UInt8](repeating: 0, count: 4096)
            while !stop.withLock({ $0 }) {
                var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
                // Without a host it is hung up, and ready at once.
                guard poll(&entry, 1, 20) > 0 else { continue }
                let count = Glibc.read(master, &buffer, buffer.count)
                guard count > 0 else {
                    usleep(5000)
                    continue
                }
                let isRight = chost_serial_baud(master) == rate
                if !isRight, garbage == .noise {
                    write([0xF8, 0x00, 0x78, 0x80], master)
                    continue
                }
                for case .message(let message) in decoder.push(buffer.prefix(count)) {
                    write(isRight ? answer(message) : garbled(message), master)
                }
            }
        }
    }

    private func answer(_ message: [UInt8]) -> [UInt8] {
        Array("boot\n".utf8) + frame(message, payload)
    }

    private func garbled(_ message: [UInt8]) -> [UInt8] {
        switch garbage {
        case .noise: return []
        case .damagedFrames:
            var bytes = frame(message, payload)
            // A digit of base64, behind the two octets that begin a frame.
            bytes[6] = bytes[6] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            return bytes
        case .otherAnswers: return frame(message, payload, sequenceOffset: 100)
        case .echoes: return (try? SerialFrame.lines(of: message).flatMap { $0 }) ?? []
        case .noPayload: return frame(message, ["err": ["rc": 8]])
        }
    }

    private func frame(
        _ message: [UInt8], _ payload: CBORMap, sequenceOffset: UInt8 = 0
    ) -> [UInt8] {
        guard let request = try? SMPMessage(decoding: message),
            let answer = try? SMPMessage(
                operation: request.header.operation.response, group: request.header.group,
                sequence: request.header.sequence &+ sequenceOffset,
                command: request.header.command, payload: payload),
            let lines = try? SerialFrame.lines(of: answer.encoded())
        else { return [] }
        return lines.flatMap { $0 }
    }

    private func write(_ bytes: [UInt8], _ master: Int32) {
        _ = Glibc.write(master, bytes, bytes.count)
    }

    func end() {
        stop.withLock { $0 = true }
        ended.wait()
    }
}

@Suite struct RateSearchTests {
    private let interruption: Interruption

    init() throws { interruption = try Interruption() }

    private func search(_ rates: [UInt32], timePerRate: Duration = .seconds(2)) -> RateSearch {
        RateSearch(rates: rates, timePerRate: timePerRate, framing: .console, version: .v2)
    }

    @Test(arguments: [115_200, 57_600, 9600] as [UInt32])
    func theRateThatAnswersIsKept(_ rate: UInt32) throws {
        let pty = try UnopenedPort()
        let path = pty.path
        let device = RatedDevice(master: pty.takeMaster(), rate: rate)
        defer { device.end() }
        let port = try SerialPort(path: path, baud: 115_200, interruption: interruption)
        defer { port.close() }
        var text: [UInt8] = []
        let found = try search([115_200, 57_600, 9600]).find(on: port, within: .seconds(60)) {
            text += $0
        }
        #expect(found == rate)
        #expect(chost_serial_baud(port.pollDescriptor) == rate)
        // What it printed at the right rate, and nothing of the others' noise.
        #expect(String(decoding: text, as: UTF8.self).hasPrefix("boot\n"))
    }

    /// A device that has no echo, or a group that knows better: it was understood, and so was its answer.
    @Test(
        arguments: [
            ["err": ["group": 0, "rc": 8]], ["err": ["group": 8392, "rc": 10]], ["rc": 8],
        ] as [CBORMap])
    func aRefusalIsAnAnswer(_ payload: CBORMap) throws {
        #expect(try found(at: 9600, answering: payload, garbage: .noise) == 9600)
    }

    @Test(arguments: RatedDevice.Garbage.allCases)
    fileprivate func garbageIsNoAnswer(_ garbage: RatedDevice.Garbage) throws {
        let refusal: CBORMap = ["err": ["group": 0, "rc": 8]]
        #expect(try found(at: 9600, answering: refusal, garbage: garbage) == 9600)
        let error = expectError(.noAnswer) { () throws(ProvisioningError) in
            try found(at: 300, answering: refusal, garbage: garbage, within: .zero)
        }
        #expect(error?.reason.contains("115200, 9600 baud") == true)
    }

    private func found(
        at rate: UInt32, answering payload: CBORMap, garbage: RatedDevice.Garbage,
        within limit: Duration = .seconds(60)
    ) throws(ProvisioningError) -> UInt32 {
        guard let pty = try? UnopenedPort() else {
            throw ProvisioningError(.internalFailure, "no pseudo-terminal")
        }
        let path = pty.path
        let device = RatedDevice(
            master: pty.takeMaster(), rate: rate, answering: payload, garbage: garbage)
        defer { device.end() }
        let port = try SerialPort(path: path, baud: 115_200, interruption: interruption)
        defer { port.close() }
        return try search([115_200, 9600], timePerRate: .milliseconds(500))
            .find(on: port, within: limit)
    }

    @Test func noneOfThem() throws {
        let pty = try UnopenedPort()
        let path = pty.path
        let device = RatedDevice(master: pty.takeMaster(), rate: 300)
        defer { device.end() }
        let port = try SerialPort(path: path, baud: 115_200, interruption: interruption)
        defer { port.close() }
        let error = expectError(.noAnswer) { () throws(ProvisioningError) in
            try search([115_200, 9600], timePerRate: .milliseconds(100))
                .find(on: port, within: .zero)
        }
        #expect(error?.reason.contains("115200, 9600 baud on \(path)") == true)
        #expect(error?.hint != nil)
    }

    @Test func aSilentPort() throws {
        let pty = try UnopenedPort()
        let port = try SerialPort(path: pty.path, baud: 115_200, interruption: interruption)
        defer { port.close() }
        expectError(.deviceSilent) { () throws(ProvisioningError) in
            try search([115_200, 9600], timePerRate: .milliseconds(50))
                .find(on: port, within: .milliseconds(200))
        }
    }
}
