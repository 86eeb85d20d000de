import Foundation
import Provisioning
import Testing

@testable import Channels

/// The real server of pyOCD, which holds requests back while the core runs.
@Suite(.enabled(if: PyOCD.isInstalled, "pyOCD is not installed: run Scripts/setup --test"))
struct PyOCDTests {
    private static let data = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ ($0 >> 8)) }

    @Test func readsAndWritesMemory() throws {
        let server = try PyOCD()
        let remote = try server.connect()
        #expect(remote.packetSize == 0x800)
        #expect(try remote.architecture() == "armv7e-m")
        let place = PyOCD.ram.address + 0x801
        try remote.writeMemory(at: place, Self.data)
        #expect(try remote.readMemory(at: place, count: Self.data.count) == Self.data)
        #expect(
            try remote.readMemory(at: place - 1, count: 8, width: .word).dropFirst()
                == Self.data.prefix(7))
        let end = PyOCD.ram.address + UInt64(PyOCD.ram.length)
        let error = expectError(.probeProtocol) { () throws(ProvisioningError) in
            try remote.readMemory(at: end - 2, count: 4)
        }
        #expect(error?.reason.contains("E01") == true, "\(error as Any)")
        #expect(try remote.readMemory(at: place, count: 1) == [Self.data[0]])
        remote.close()
    }

    /// It lets go of the core whether it runs or not, and takes the next client then.
    @Test func runsHaltsAndLetsGo() throws {
        let server = try PyOCD()
        #expect(try server.state == "running")
        for isRunning in [true, false, true] {
            let remote = try server.connect()
            try remote.halt()
            #expect(try server.state == "halted")
            try remote.resume()
            #expect(try server.becomes("running"))
            if !isRunning {
                _ = try remote.readMemory(at: PyOCD.ram.address, count: 4)
                #expect(try server.state == "halted")
            }
            let start = ContinuousClock.now
            remote.close()
            #expect(start.duration(to: .now) < .seconds(10))
            #expect(try server.becomes("running"))
        }
    }

    /// It answers nothing while the core runs, so each look stops it, and it goes on in between.
    @Test func haltsTheCoreForEachLookAtItsRings() throws {
        let server = try PyOCD()
        let remote = try server.connect()
        let region = try #require(
            AddressRange(address: PyOCD.ram.address, length: PyOCD.ram.length))
        let memory = try GDBTargetMemory(remote, trying: region.address)
        #expect(memory.haltsCore)
        let settings = RTTSettings(memory: [region])
        let channel = try RTTChannel(
            memory, settings, locator: RTTLocator(settings), within: .seconds(60),
            interruption: Interruption())
        // Longer than both rings: the firmware has to go on meanwhile.
        let text = (0..<60).map { "line \($0) through both rings" }.joined(separator: "\n")
        try channel.write(Array(text.utf8.prefix(100)), within: .seconds(60))
        var (echo, sent) = ([UInt8](), 100)
        let end = Deadline(within: .seconds(120))
        while echo.count < text.utf8.count, !end.isPast {
            echo += try channel.read(atMost: 4096, within: .milliseconds(50))
            let piece = Array(text.utf8.dropFirst(sent).prefix(max(0, echo.count + 100 - sent)))
            if !piece.isEmpty { try channel.write(piece, within: .seconds(60)) }
            sent += piece.count
        }
        #expect(String(decoding: echo, as: UTF8.self) == text.uppercased())
        channel.close()
        remote.close()
        #expect(try server.becomes("running"))
    }
}
