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

    init(master: Int32, rate: UInt32) {
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
                guard chost_serial_baud(master) == rate else {
                    _ = Glibc.write(master, [0xF8, 0x00, 0x78, 0x80], 4)
                    continue
                }
                for case .message(let message) in decoder.push(buffer.prefix(count)) {
                    answer(message, master)
                }
            }
        }
    }

    private func answer(_ message: [UInt8], _ master: Int32) {
        guard let request = try? SMPMessage(decoding: message),
            let answer = try? SMPMessage(
                operation: request.header.operation.response, group: request.header.group,
                sequence: request.header.sequence, command: request.header.command,
                payload: ["r": ""]),
            let lines = try? SerialFrame.lines(of: answer.encoded())
        else { return }
        let bytes = Array("boot\n".utf8) + lines.flatMap { $0 }
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
