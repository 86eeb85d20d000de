import Foundation
import Provisioning
import Testing

@testable import Channels

@Suite struct RTTChannelTests {
    /// Bytes until there are `count`, or none come for a while.
    private func read(_ channel: RTTChannel, _ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try channel.read(atMost: count - bytes.count, within: .seconds(20))
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    private static let pattern = (0..<1500).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    /// Around the rings' ends many times, with every free and filled length.
    @Test(arguments: [true, false], [(2, 2), (16, 16), (33, 7), (700, 256)])
    func carriesEveryByteOnce(haltsCore: Bool, sizes: (up: Int, down: Int)) throws {
        let target = TargetInMemory(haltsCore: haltsCore)
        let rings = FirmwareRings(target, at: 64, up: [sizes.up], down: [sizes.down])
        var waiting: [UInt8] = []
        target.run = { _ in
            waiting += rings.receive()
            waiting.removeFirst(rings.send(waiting))
        }
        let channel = try target.channel(target.settings())
        let sent = Array(Self.pattern.prefix(sizes.up * 40))
        var echoed: [UInt8] = []
        for part in stride(from: 0, to: sent.count, by: 97) {
            let bytes = Array(sent[part..<min(part + 97, sent.count)])
            try channel.write(bytes, within: .seconds(20))
            echoed += try read(channel, bytes.count)
        }
        #expect(echoed == sent)
        #expect(try channel.read(atMost: 10, within: .zero).isEmpty)
    }

    @Test func neverGivesMoreThanAskedFor() throws {
        let target = TargetInMemory()
        let rings = FirmwareRings(target, at: 64, up: [64], down: [16])
        rings.send(1...20)
        let channel = try target.channel(target.settings())
        #expect(try channel.read(atMost: 7, within: .seconds(20)) == Array(1...7))
        #expect(try channel.read(atMost: 0, within: .seconds(20)).isEmpty)
        #expect(try channel.read(atMost: 100, within: .seconds(20)) == Array(8...20))
    }

    /// A request reads 16 bytes here, and a full ring fills again at once.
    @Test func ofAFullLongRingWholeRequestsAreRead() throws {
        let target = TargetInMemory()
        let rings = FirmwareRings(target, at: 64, up: [200], down: [16])
        let bytes = Self.pattern
        #expect(rings.send(bytes[..<199]) == 199)
        let channel = try target.channel(target.settings())
        #expect(try channel.read(atMost: 1000, within: .seconds(20)) == Array(bytes[..<192]))
        // Behind the ring's end; and nothing stays there for want of more.
        #expect(rings.send(bytes[199..<391]) == 192)
        #expect(try read(channel, 199) == Array(bytes[192..<391]))
    }

    /// Around its end, too.
    @Test func ofAShortRingAllIsReadAtOnce() throws {
        let target = TargetInMemory()
        let rings = FirmwareRings(target, at: 64, up: [12], down: [16])
        let channel = try target.channel(target.settings())
        for first in stride(from: UInt8(0), to: 200, by: 11) {
            #expect(rings.send(first..<first + 11) == 11)
            let bytes = try channel.read(atMost: 100, within: .seconds(20))
            #expect(bytes == Array(first..<first + 11))
        }
    }

    @Test func aFullChannelIsToldWithWhatItTook() throws {
        let target = TargetInMemory()
        let rings = FirmwareRings(target, at: 64, up: [16], down: [16])
        let channel = try target.channel(target.settings())
        let error = expectError(.channelUnavailable) { () throws(ProvisioningError) in
            try channel.write(Array(1...20), within: .milliseconds(50))
        }
        #expect(
            error?.reason == "RTT channel 0 of target took 15 of 20 bytes in 50 ms",
            "\(String(describing: error))")
        #expect(rings.receive() == Array(1...15))
        // What was given up is not sent later.
        try channel.write([99], within: .seconds(20))
        #expect(rings.receive() == [99])
    }

    @Test func waitsForFirmwareThatStartsLate() throws {
        let target = TargetInMemory()
        var turns = 0
        target.run = { target in
            turns += 1
            if turns == 5 {
                FirmwareRings(target, at: 256, up: [16, 32], down: [16]).send([1], on: 1)
            }
        }
        let channel = try target.channel(target.settings(up: 1))
        #expect(turns >= 5)
        #expect(try read(channel, 1) == [1])
    }

    /// A reset takes the block away, and firmware may make it elsewhere.
    @Test(arguments: [64, 1024]) func goesOnAfterAReset(offset: Int) throws {
        let target = TargetInMemory()
        let first = FirmwareRings(target, at: 64, up: [16], down: [16])
        first.send([1, 2, 3])
        let channel = try target.channel(target.settings())
        try channel.write([7], within: .seconds(20))
        #expect(try read(channel, 3) == [1, 2, 3])
        target.clear()
        var turns = 0
        target.run = { target in
            turns += 1
            if turns == 3 {
                FirmwareRings(target, at: offset, up: [16], down: [16]).send([4, 5])
            }
        }
        #expect(try read(channel, 2) == [4, 5])
        try channel.write([8, 9], within: .seconds(20))
        let down = offset + 24 + 24
        #expect(target.word(down + 12) == 2)
    }

    /// In the middle of a write: the new rings get the rest, and nothing lies where they were not.
    @Test func aResetWhileWritingHurtsNobody() throws {
        let target = TargetInMemory()
        var rings = FirmwareRings(target, at: 64, up: [16], down: [16])
        var received: [UInt8] = []
        var turns = 0
        target.run = { target in
            turns += 1
            if turns == 4 {
                target.clear()
                rings = FirmwareRings(target, at: 512, up: [16], down: [16])
                // A guard on both sides of everything.
                target.set(508, 0x5AFE)
                target.set(512 + 72 + 32, 0x5AFE)
            }
            received += rings.receive(atMost: 3)
        }
        let channel = try target.channel(target.settings())
        try channel.write(Array(0..<100), within: .seconds(20))
        while received.last != 99 {
            _ = try channel.read(atMost: 1, within: .milliseconds(1))
        }
        // What was in the rings when the reset came is lost, nothing else.
        #expect(received.count >= 100 - 15)
        #expect(Set(received).count == received.count && received == received.sorted())
        #expect(target.word(508) == 0x5AFE && target.word(512 + 72 + 32) == 0x5AFE)
    }

    @Test func aBlockThatNeverComesIsToldInTime() throws {
        let target = TargetInMemory()
        let settings = try target.settings()
        let error = expectError(.rttNotFound) { () throws(ProvisioningError) in
            try target.channel(settings, within: .milliseconds(30))
        }
        #expect(error?.reason.contains("4096 bytes at 0x20000000 after 30 ms") == true)
        let rings = FirmwareRings(target, at: 64, up: [16], down: [16])
        rings.send([1])
        let channel = try target.channel(settings, within: .milliseconds(30))
        #expect(try read(channel, 1) == [1])
        target.clear()
        expectError(.rttNotFound) { () throws(ProvisioningError) in
            try channel.read(atMost: 1, within: .seconds(20))
        }
    }

    /// It may be away for longer than a write may take: that is why, and not a ring without room.
    @Test func aBlockThatIsAwayIsWhyNothingCanBeWritten() throws {
        let target = TargetInMemory()
        let settings = try target.settings()
        let rings = FirmwareRings(target, at: 64, up: [16], down: [16])
        let channel = try target.channel(settings, within: .seconds(600))
        try channel.write([1], within: .seconds(20))
        #expect(rings.receive() == [1])
        target.clear()
        let error = expectError(.rttNotFound) { () throws(ProvisioningError) in
            try channel.write([2], within: .milliseconds(200))
        }
        #expect(error?.reason.contains("after 200 ms") == true, "\(String(describing: error))")
        let again = FirmwareRings(target, at: 256, up: [16], down: [16])
        try channel.write([3], within: .seconds(20))
        #expect(again.receive() == [3])
    }

    /// Four pieces of RAM, through a probe that is slower than the time that there is.
    @Test func aSlowSearchEndsInTimeToo() throws {
        let target = TargetInMemory(size: 1 << 16)
        target.run = { _ in usleep(2_000) }
        let settings = try target.settings()
        expectError(.rttNotFound) { () throws(ProvisioningError) in
            try target.channel(settings, within: .milliseconds(1))
        }
        #expect(target.transferCount == 1)
    }

    /// Offsets and pointers that become nonsense while it is used: an error, and nothing is touched.
    @Test(arguments: [(4, 0), (4, 0x4000_0000), (8, 5000), (12, 16), (16, -1)])
    func aDamagedBlockIsNotFollowed(field: (offset: Int, value: Int)) throws {
        let target = TargetInMemory()
        _ = FirmwareRings(target, at: 64, up: [16], down: [16])
        let settings = try target.settings()
        let channel = try target.channel(settings, within: .milliseconds(30))
        target.set(64 + 24 + 24 + field.offset, field.value)
        let before = target.ram
        // A ring without a buffer is a channel that isn't there.
        let code: ErrorCode = field == (4, 0) ? .rttNotFound : .rttDamaged
        expectError(code) { () throws(ProvisioningError) in
            try channel.write([1, 2, 3], within: .seconds(20))
        }
        #expect(target.holds(before))
        let error = expectError(code) { () throws(ProvisioningError) in
            try target.channel(settings, within: .milliseconds(30))
        }
        #expect(error?.reason.contains("0x20000040") == true, "\(String(describing: error))")
    }

    @Test func namesTheChannelThatIsMissing() throws {
        let target = TargetInMemory()
        _ = FirmwareRings(target, at: 64, up: [16], down: [16])
        let settings = try target.settings(up: 2)
        let error = expectError(.rttNotFound) { () throws(ProvisioningError) in
            try target.channel(settings, within: .milliseconds(30))
        }
        #expect(
            error?.reason == "the RTT control block at 0x20000040 has no up channel 2, of 1")
    }

    @Test func logAndFramesComeApart() throws {
        let target = TargetInMemory()
        let rings = FirmwareRings(target, at: 64, up: [32, 64], down: [16])
        let channel = try target.channel(target.settings(up: 1, log: 0))
        rings.send("\u{6}\u{9}AAA".utf8, on: 1)
        rings.send("one\ntwo\nthr".utf8, on: 0)
        #expect(try read(channel, 5) == Array("\u{6}\u{9}AAA".utf8))
        rings.send("=\n".utf8, on: 1)
        #expect(try read(channel, 2 + 8) == Array("=\none\ntwo\n".utf8))
        // A line that does not end is shown when nothing more comes.
        #expect(try read(channel, 3) == Array("thr".utf8))
    }

    @Test func aPersonTypesIntoTheTerminal() throws {
        let target = TargetInMemory()
        let rings = FirmwareRings(target, at: 64, up: [32, 64], down: [16, 16])
        let channel = try target.channel(target.settings(up: 1, down: 1, log: 0))
        try channel.write([1], within: .seconds(20))
        channel.isTerminal = true
        try channel.write([2], within: .seconds(20))
        #expect(rings.receive(on: 1) == [1])
        #expect(rings.receive(on: 0) == [2])
        // Firmware without one.
        target.clear()
        let other = FirmwareRings(target, at: 64, up: [32, 64], down: [0, 16])
        let alone = try target.channel(target.settings(up: 1, down: 1, log: 0))
        alone.isTerminal = true
        try alone.write([3], within: .seconds(20))
        #expect(other.receive(on: 1) == [3])
    }

    @Test func whatTheDeviceSaysWaitsForTheCommit() throws {
        let target = TargetInMemory()
        let rings = FirmwareRings(target, at: 64, up: [32], down: [16])
        var commits = 0
        let channel = try target.channel(target.settings()) { commits += 1 }
        #expect(try channel.read(atMost: 9, within: .milliseconds(20)).isEmpty)
        #expect(commits == 0)
        rings.send([1])
        #expect(try read(channel, 1) == [1])
        #expect(commits == 1)
        rings.send([2])
        let failing = try target.channel(target.settings()) { () throws(ProvisioningError) in
            throw ProvisioningError(.emulatorFailed, "the disk is full")
        }
        expectError(.emulatorFailed) { () throws(ProvisioningError) in
            try failing.read(atMost: 9, within: .seconds(20))
        }
    }

    @Test func anInterruptionEndsEveryWait() throws {
        let target = TargetInMemory()
        let interruption = try Interruption()
        let settings = try target.settings()
        _ = FirmwareRings(target, at: 64, up: [32], down: [16])
        let channel = try target.channel(settings, interruption: interruption)
        interruption.interrupt()
        expectError(.interrupted) { () throws(ProvisioningError) in
            try channel.read(atMost: 1, within: .seconds(20))
        }
        expectError(.interrupted) { () throws(ProvisioningError) in
            try channel.write([1], within: .seconds(20))
        }
        target.clear()
        expectError(.interrupted) { () throws(ProvisioningError) in
            try target.channel(settings, interruption: interruption)
        }
    }

    @Test func isClosedOnce() throws {
        let target = TargetInMemory()
        _ = FirmwareRings(target, at: 64, up: [32], down: [16])
        let channel = try target.channel(target.settings())
        channel.close()
        channel.close()
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try channel.read(atMost: 1, within: .zero)
        }
        expectError(.channelClosed) { () throws(ProvisioningError) in
            try channel.write([1], within: .seconds(1))
        }
    }
}

@Suite struct RTTLinesTests {
    private func merged(_ turns: [(String, String)]) -> String {
        var lines = RTTLines()
        for (frames, log) in turns { lines.append(Array(frames.utf8), log: Array(log.utf8)) }
        return String(decoding: lines.take(.max), as: UTF8.self)
    }

    @Test func logNeverComesIntoALine() {
        #expect(merged([("ab", "x\n"), ("c\n", "")]) == "abc\nx\n")
        #expect(merged([("a\nb", "x\n"), ("", "y\n"), ("\n", "")]) == "a\nb\nx\ny\n")
        #expect(merged([("a\n", "x"), ("b\n", "y"), ("c\n", "\nz")]) == "a\nb\nc\nxy\n")
        #expect(merged([("", "x"), ("", "")]) == "x")
    }

    @Test func whatNeverEndsALineStillDoesNotHoldTheLogForEver() {
        let text = String(repeating: "x", count: 5000)
        #expect(merged([("a", text)]) == "a" + text)
    }

    @Test func nothingIsLostInAnyCut() {
        var lines = RTTLines()
        var expected = 0
        for length in 0..<200 {
            let log = [UInt8](repeating: UInt8(ascii: "l"), count: length % 7) + [0x0A]
            lines.append([UInt8](repeating: UInt8(ascii: "f"), count: length % 5), log: log)
            expected += length % 7 + 1 + length % 5
        }
        lines.append([0x0A], log: [])
        var count = 0
        while !lines.isEmpty { count += lines.take(11).count }
        #expect(count == expected + 1)
    }
}
