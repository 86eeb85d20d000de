import Channels
import DeviceProvisioning
import DeviceTestHAL
import Foundation
import Provisioning
import ProvisioningTesting
import Testing

/// The device's rings, and the host's channel to them, in one process: each reads what the other wrote.
@Suite(.serialized) struct RTTTests {
    private let memory = ProcessMemory()
    private static let pointers =
        MemoryLayout<Int>.size == 8 ? RTTControlBlock.Pointers.bits64 : .bits32

    private func start(
        up: [UInt32] = [64, 0], down: [UInt32] = [64, 0], mode: dp_rtt_mode = DP_RTT_SKIP
    ) {
        test_rtt_start(up, down, mode)
    }

    private func block() throws -> RTTControlBlock {
        let region = ProcessMemory.block
        let bytes = try memory.read(at: region.address, count: region.length)
        return try RTTControlBlock(
            bytes, at: region.address, pointers: Self.pointers, in: ProcessMemory.regions)
    }

    private func channel(
        _ number: Int = 0, interruption: Interruption? = nil
    ) throws -> RTTChannel {
        let settings = RTTSettings(memory: ProcessMemory.regions, up: number, down: number)
        return try RTTChannel(
            memory, settings,
            locator: RTTLocator(
                settings, pointers: Self.pointers, address: ProcessMemory.block.address),
            within: .seconds(5), interruption: interruption ?? Interruption())
    }

    private func write(_ bytes: [UInt8], on channel: UInt32 = 0) -> Int {
        dp_rtt_write(channel, bytes, bytes.count)
    }

    /// With the rings of a small chip, so that everything goes around them many times.
    @Test(arguments: ChannelCheck.allCases)
    func keepsAChannelsPromises(_ check: ChannelCheck) throws {
        start(up: [512, 0], down: [128, 0])
        let farEnd = RingEnd()
        memory.run = farEnd.run
        defer { memory.run = {} }
        let isMade = try check.run {
            let interruption = try Interruption()
            return ChannelUnderTest(
                channel: try channel(interruption: interruption), farEnd: farEnd,
                interrupt: { interruption.interrupt() }, noticesLeaving: false)
        }
        #expect(isMade == (check != .noticesTheEnd))
    }

    @Test func theHostReadsTheBlock() throws {
        start(up: [64, 32], down: [16, 0])
        let block = try block()
        #expect(block.up.map { $0?.size } == [64, 32])
        #expect(block.down.map { $0?.size } == [16, nil])
        let rings = UInt64(UInt(bitPattern: test_rtt_rings()))
        #expect(block.up[0]?.buffer == rings)
        #expect(block.down[0]?.buffer == rings + 64)
        for ring in (block.up + block.down).compactMap(\.self) {
            #expect(ring.readOffset == 0 && ring.writeOffset == 0)
        }
    }

    /// One octet holds nothing: the smallest ring that the host would refuse.
    @Test func aRingOfOneIsNone() throws {
        start(up: [1, 64], down: [0, 2])
        #expect(try block().up.map { $0?.size } == [nil, 64])
        #expect(write([1]) == 0)
        #expect(dp_rtt_read(0) == -1)
    }

    @Test(arguments: [(2, 2), (16, 16), (7, 256), (707, 33)])
    func everyOctetComesBack(sizes: (up: UInt32, down: UInt32)) throws {
        start(up: [16, sizes.up], down: [16, sizes.down])
        var waiting: [UInt8] = []
        memory.run = {
            while case let byte = dp_rtt_read(1), byte >= 0 {
                waiting.append(UInt8(truncatingIfNeeded: byte))
            }
            while let byte = waiting.first, dp_rtt_write(1, [byte], 1) == 1 {
                waiting.removeFirst()
            }
        }
        defer { memory.run = {} }
        let channel = try channel(1)
        let sent = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        var echoed: [UInt8] = []
        for start in stride(from: 0, to: sent.count, by: 125) {
            try channel.write(Array(sent[start..<start + 125]), within: .seconds(20))
            while echoed.count < start + 125 {
                let bytes = try channel.read(atMost: 4096, within: .seconds(20))
                try #require(!bytes.isEmpty)
                echoed += bytes
            }
        }
        #expect(echoed == sent)
        // The other channels' rings.
        let rings = UnsafeBufferPointer(start: test_rtt_rings(), count: 32)
        #expect(rings.allSatisfy { $0 == 0xA5 })
    }

    @Test func aFullRingDropsTheWholeWrite() throws {
        start(up: [8, 0], mode: DP_RTT_SKIP)
        #expect(write([1, 2, 3, 4]) == 4)
        #expect(write([5, 6, 7, 8]) == 0)
        #expect(write([5, 6, 7]) == 3)
        #expect(write([9]) == 0)
        #expect(try channel().read(atMost: 99, within: .seconds(5)) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func aFullRingKeepsWhatFits() throws {
        start(up: [8, 0], mode: DP_RTT_TRIM)
        #expect(write([1, 2, 3, 4, 5]) == 5)
        #expect(write([6, 7, 8, 9]) == 2)
        #expect(write([9]) == 0)
        #expect(try channel().read(atMost: 99, within: .seconds(5)) == [1, 2, 3, 4, 5, 6, 7])
    }

    /// The host may change the mode, which is what makes this write wait, and be given up.
    @Test func aWriteThatWaitsGivesUpAReaderThatIsGone() throws {
        start(up: [8, 0], mode: DP_RTT_TRIM)
        let flags = try #require(try block().up[0]).readOffsetAddress + 4
        try memory.write(at: flags, [2, 0, 0, 0])
        #expect(write(Array(1...20)) == 7)
        start(up: [8, 0], mode: DP_RTT_BLOCK)
        let waiting = processorTime { #expect(write(Array(1...20)) == 7) }
        // Not again: a hundred looks at the ring, where each wait has millions.
        let notWaiting = processorTime {
            for byte in UInt8(21)...120 { #expect(write([byte]) == 0) }
        }
        #expect(notWaiting < waiting)
        // A reader that comes back is waited for again.
        #expect(try channel().read(atMost: 3, within: .seconds(5)) == [1, 2, 3])
        #expect(write([22]) == 1)
    }

    /// Nanoseconds of this thread, however busy the computer is.
    private func processorTime(_ body: () -> Void) -> Int {
        func now() -> Int {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
        }
        let start = now()
        body()
        return now() - start
    }

    /// Whatever the host leaves there: nothing outside the ring is touched.
    @Test(arguments: [64, 65, 0x7FFF_FFFF, 0xFFFF_FFFF] as [UInt32])
    func offsetsThatCannotBeAreNotFollowed(offset: UInt32) throws {
        start(up: [64, 0], down: [64, 0], mode: DP_RTT_BLOCK)
        let block = try block()
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: offset >> ($0 * 8)) }
        try memory.write(at: try #require(block.up[0]).readOffsetAddress, bytes)
        try memory.write(at: try #require(block.down[0]).writeOffsetAddress, bytes)
        #expect(write(Array(1...100)) == 0)
        #expect(dp_rtt_read(0) == -1)
        let rings = UnsafeBufferPointer(start: test_rtt_rings(), count: TEST_RTT_SIZE)
        #expect(rings.allSatisfy { $0 == 0xA5 })
    }

    @Test func thereAreNoOtherChannels() {
        start(up: [8, 8], down: [8, 8])
        for channel in [UInt32(DP_RTT_CHANNELS), .max] {
            #expect(write([1], on: channel) == 0)
            #expect(dp_rtt_read(channel) == -1)
        }
    }

    @Test func knowsThatAHostIsThere() throws {
        start()
        #expect(!dp_rtt_is_used())
        #expect(write([1, 2]) == 2)
        #expect(!dp_rtt_is_used())
        let channel = try channel()
        #expect(try channel.read(atMost: 9, within: .seconds(5)) == [1, 2])
        #expect(dp_rtt_is_used())
        #expect(!dp_rtt_is_used())
        try channel.write([3], within: .seconds(5))
        #expect(dp_rtt_is_used())
        #expect(dp_rtt_read(0) == 3)
        #expect(!dp_rtt_is_used())
        start()
        #expect(!dp_rtt_is_used())
    }
}
