import DeviceProvisioning
import Testing

/// What lies between a board's USB stack and the library: the tests are both.
@Suite(.serialized) struct USBBulkTests {
    // The suite is serial.
    private nonisolated(unsafe) static let out = UnsafeMutableBufferPointer<UInt8>.allocate(
        capacity: 2048)
    private nonisolated(unsafe) static let into = UnsafeMutableBufferPointer<UInt8>.allocate(
        capacity: 2048)

    private func start(out: UInt32 = 256, in into: UInt32 = 256, packet: UInt32? = 64) {
        var outRing = dp_usb_ring(bytes: Self.out.baseAddress, size: out)
        var inRing = dp_usb_ring(bytes: Self.into.baseAddress, size: into)
        dp_usb_start(&outRing, &inRing)
        if let packet { dp_usb_configured(packet) }
    }

    /// The stack's next packet to the host, which gets it.
    private func sendPacket() -> [UInt8]? {
        guard let packet = nextPacket() else { return nil }
        dp_usb_sent()
        return packet
    }

    private func nextPacket() -> [UInt8]? {
        var packet = [UInt8](repeating: 0xEE, count: 512)
        let length = dp_usb_packet(&packet)
        return length < 0 ? nil : Array(packet[..<Int(length)])
    }

    private func readAll() -> [UInt8] {
        var bytes: [UInt8] = []
        while case let byte = dp_usb_read(), byte >= 0 { bytes.append(UInt8(byte)) }
        return bytes
    }

    private func bytes(_ count: Int, from first: Int = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: first + $0 &* 7 &+ $0 >> 8) }
    }

    @Test func packetsBecomeBytes() {
        start()
        #expect(dp_usb_read() == -1)
        for packet in [bytes(3), [], bytes(64, from: 9)] {
            #expect(dp_usb_received(packet, packet.count))
        }
        #expect(readAll() == bytes(3) + bytes(64, from: 9))
        #expect(dp_usb_read() == -1)
    }

    /// Without a packet that is not full, the host's transfer would go on.
    @Test(arguments: [0, 1, 63, 64, 65, 127, 128, 129, 200, 256])
    func aTransferEndsWithAShortPacket(count: Int) {
        start()
        #expect(dp_usb_write(bytes(count), count) == count)
        var transfer: [[UInt8]] = []
        while let packet = sendPacket() { transfer.append(packet) }
        #expect(Array(transfer.joined()) == bytes(count))
        #expect(transfer.dropLast().allSatisfy { $0.count == 64 })
        #expect(transfer.last.map { $0.count < 64 } ?? (count == 0))
        #expect(transfer.count == (count == 0 ? 0 : count / 64 + 1))
    }

    /// Octets that come in time go on with the transfer, and take the empty packet's place.
    @Test func anOpenTransferGoesOn() {
        start()
        #expect(dp_usb_write(bytes(64), 64) == 64)
        #expect(sendPacket() == bytes(64))
        #expect(dp_usb_write([5], 1) == 1)
        #expect(sendPacket() == [5])
        #expect(sendPacket() == nil)
    }

    /// A stack asks as often as it likes, and the octets that came meanwhile wait for the next packet.
    @Test func aPacketIsTheSameUntilTheHostHasIt() {
        start()
        #expect(dp_usb_write([1, 2], 2) == 2)
        #expect(nextPacket() == [1, 2])
        #expect(dp_usb_write([3], 1) == 1)
        #expect(nextPacket() == [1, 2])
        dp_usb_sent()
        #expect(sendPacket() == [3])
        // Nothing is on its way: an interrupt too many sends nothing.
        dp_usb_sent()
        #expect(sendPacket() == nil)
    }

    @Test func aFullRingKeepsTheHostWaiting() {
        start(out: 128)
        #expect(dp_usb_has_room())
        #expect(dp_usb_received(bytes(64), 64))
        #expect(dp_usb_received(bytes(2), 2))
        #expect(!dp_usb_has_room())
        // All or nothing of a packet.
        #expect(!dp_usb_received(bytes(64), 64))
        #expect(dp_usb_read() == 0)
        #expect(!dp_usb_has_room())
        #expect(dp_usb_read() == 7)
        #expect(dp_usb_has_room())
        #expect(dp_usb_received(bytes(64), 64))
        #expect(readAll() == bytes(64).dropFirst(2) + bytes(2) + bytes(64))
    }

    @Test func aFullRingTakesWhatFits() {
        start(in: 128)
        #expect(dp_usb_write(bytes(200), 200) == 128)
        #expect(dp_usb_write([1], 1) == 0)
        #expect(nextPacket() == Array(bytes(200)[..<64]))
        #expect(dp_usb_write([1], 1) == 0)
        dp_usb_sent()
        #expect(dp_usb_write(bytes(200), 200) == 64)
    }

    /// What waited was for a host that is gone, or from it.
    @Test(arguments: [false, true]) func aNewSessionBeginsEmpty(isUnplugged: Bool) {
        start()
        #expect(dp_usb_received(bytes(30), 30))
        #expect(dp_usb_read() == 0)
        #expect(dp_usb_write(bytes(64), 64) == 64)
        #expect(sendPacket() != nil)
        #expect(dp_usb_write(bytes(70), 70) == 70)
        #expect(nextPacket() != nil)
        if isUnplugged {
            dp_usb_disconnected()
            #expect(!dp_usb_is_configured())
        }
        dp_usb_configured(512)
        dp_usb_sent()
        #expect(dp_usb_is_configured())
        #expect(sendPacket() == nil)
        #expect(dp_usb_received([1, 2, 3], 3))
        #expect(readAll() == [1, 2, 3])
        #expect(dp_usb_write([9], 1) == 1)
        #expect(sendPacket() == [9])
    }

    /// The firmware hears of two sessions at once, and of the second one's octets only.
    @Test func sessionsThatNobodySawAreForgotten() {
        start()
        #expect(dp_usb_received([1], 1))
        dp_usb_configured(64)
        #expect(dp_usb_received([2, 3], 2))
        dp_usb_disconnected()
        dp_usb_configured(64)
        #expect(dp_usb_received([4], 1))
        #expect(readAll() == [4])
    }

    /// A log that nobody reads must not stop the firmware.
    @Test func withoutAHostNothingWaits() {
        start(packet: nil)
        #expect(dp_usb_write(bytes(1000), 1000) == 1000)
        #expect(!dp_usb_has_room())
        #expect(!dp_usb_received([1], 1))
        #expect(nextPacket() == nil)
        dp_usb_configured(64)
        #expect(nextPacket() == nil)
        #expect(dp_usb_read() == -1)
    }

    /// Sizes that are no power of two, or no ring at all, hold nothing; nor does one below a packet's size.
    @Test(arguments: [0, 100, 255] as [UInt32]) func aRingOfNoSizeIsNone(size: UInt32) {
        start(out: size, in: size)
        #expect(!dp_usb_has_room())
        #expect(dp_usb_write([1], 1) == 1)
        #expect(nextPacket() == nil)
        start(out: 64, packet: 512)
        #expect(!dp_usb_has_room())
    }

    /// More than the host agreed on is no packet.
    @Test func anOversizedPacketIsRefused() {
        start(packet: 64)
        #expect(!dp_usb_received(bytes(65), 65))
        #expect(dp_usb_read() == -1)
    }

    /// Both rings many times around, in pieces of every length.
    @Test(arguments: [(64, 64), (64, 512), (512, 2048)] as [(UInt32, UInt32)])
    func everyOctetComesBack(packet: UInt32, ring: UInt32) {
        start(out: max(ring, packet), in: ring, packet: packet)
        let sent = bytes(20_000)
        var (position, pending, back) = (0, [UInt8](), [UInt8]())
        var length = 1
        while back.count < sent.count {
            let part = Array(sent[position...].prefix(length % (Int(packet) + 1)))
            if dp_usb_has_room(), dp_usb_received(part, part.count) {
                position += part.count
                length += 1
            }
            pending += readAll()
            let taken = dp_usb_write(pending, pending.count)
            pending.removeFirst(taken)
            if let packet = sendPacket() { back += packet }
        }
        #expect(back == sent)
    }
}
