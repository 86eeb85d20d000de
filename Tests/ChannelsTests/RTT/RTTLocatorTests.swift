import Provisioning
import Testing

@testable import Channels

@Suite struct RTTLocatorTests {
    private func find(_ target: TargetInMemory, address: UInt64? = nil) throws -> UInt64? {
        var locator = RTTLocator(try target.settings(), address: address)
        return try locator.find(in: target)?.address
    }

    /// Before, across and behind the ends of the pieces that are read at a time, and of RAM.
    @Test(arguments: [0, 4, 16_364, 16_368, 16_372, 16_380, 16_384, 32_756, 40_000 - 24 - 48 - 32])
    func findsABlockAnywhere(_ offset: Int) throws {
        let target = TargetInMemory(size: 40_000)
        _ = FirmwareRings(target, at: offset, up: [16], down: [16])
        #expect(try find(target) == TargetInMemory.base + UInt64(offset))
    }

    @Test func searchesRegionsThatBeginAnywhere() throws {
        let target = TargetInMemory(size: 40_000)
        _ = FirmwareRings(target, at: 16_392, up: [16], down: [16])
        for start in 0..<8 {
            let region = try #require(
                AddressRange(
                    address: TargetInMemory.base + UInt64(start), length: 40_000 - start))
            var locator = RTTLocator(RTTSettings(memory: [region]))
            #expect(try locator.find(in: target)?.address == TargetInMemory.base + 16_392)
        }
        // No place for it, and nothing is read outside.
        for length in 1..<40 {
            let region = try #require(AddressRange(address: TargetInMemory.base, length: length))
            var locator = RTTLocator(RTTSettings(memory: [region]))
            #expect(try locator.find(in: target) == nil)
        }
    }

    /// The block lies in the second region, and its rings in the first; between them is nothing to read.
    @Test func searchesEveryRegion() throws {
        let target = TargetInMemory(size: 40_000)
        _ = FirmwareRings(target, at: 36_000, up: [16], down: [16])
        let buffers = try #require(
            AddressRange(address: TargetInMemory.base + 36_000 + 24 + 48, length: 32))
        func region(_ start: UInt64, _ length: Int) throws -> AddressRange {
            try #require(AddressRange(address: TargetInMemory.base + start, length: length))
        }
        for (first, second) in [
            (try region(0, 1024), try region(32_000, 8000)),
            (try region(32_000, 4000), try region(36_000, 72)),
            (try region(0, 20_000), try region(36_000, 72)),
        ] {
            let settings = RTTSettings(memory: [first, second, buffers])
            var locator = RTTLocator(settings)
            #expect(try locator.find(in: target)?.address == TargetInMemory.base + 36_000)
            var alone = RTTLocator(RTTSettings(memory: [first]))
            #expect(try alone.find(in: target) == nil)
        }
    }

    @Test func saysWhatItLookedFor() throws {
        let target = TargetInMemory()
        var locator = RTTLocator(try target.settings())
        #expect(try locator.find(in: target) == nil)
        let error = locator.failure(after: .seconds(5), in: target)
        #expect(error.code == .rttNotFound)
        #expect(
            error.reason
                == "no RTT control block in 4096 bytes at 0x20000000 after 5 s, through target")
        var other = RTTLocator(try target.settings(), address: 0x2000_0100)
        #expect(try other.find(in: target) == nil)
        #expect(
            other.failure(after: .seconds(5), in: target).reason
                == "no RTT control block at 0x20000100, where the image has it, after 5 s, "
                + "through target")
    }

    @Test func theImageKnowsWhichOneItIs() throws {
        let target = TargetInMemory()
        _ = FirmwareRings(target, at: 0x100, up: [16], down: [16])
        // Left from earlier firmware, it is not the one.
        #expect(try find(target, address: TargetInMemory.base + 0x800) == nil)
        _ = FirmwareRings(target, at: 0x800, up: [16], down: [16])
        #expect(
            try find(target, address: TargetInMemory.base + 0x800) == TargetInMemory.base + 0x800)
        var locator = RTTLocator(try target.settings(), address: 0x0800_0000)
        #expect(try locator.find(in: target) == nil)
        let error = locator.failure(after: .seconds(1), in: target)
        #expect(error.code == .rttDamaged)
        #expect(error.reason.contains("0x8000000"))
    }

    @Test func ofTwoTheLivingOneIsTaken() throws {
        let target = TargetInMemory()
        let old = FirmwareRings(target, at: 0x100, up: [16], down: [16])
        let new = FirmwareRings(target, at: 0x800, up: [16], down: [16])
        old.send([1, 2, 3])
        var locator = RTTLocator(try target.settings())
        #expect(try locator.find(in: target) == nil)
        #expect(try locator.find(in: target) == nil)
        let error = locator.failure(after: .seconds(5), in: target)
        #expect(error.code == .rttNotFound)
        #expect(
            error.reason
                == "RTT control blocks at 0x20000100 and 0x20000800, and none of them moves")
        new.send([9])
        #expect(try locator.find(in: target)?.address == TargetInMemory.base + 0x800)
    }

    @Test func forgetsWhatIsLeft() throws {
        let target = TargetInMemory()
        for offset in [0, 0x100, 0x800] {
            _ = FirmwareRings(target, at: offset, up: [16], down: [16])
        }
        let before = target.ram
        let one = RTTLocator(try target.settings(), address: TargetInMemory.base + 0x100)
        try target.transfer { () throws(ProvisioningError) in try one.forget(in: Inside(target)) }
        var expected = before
        expected.replaceSubrange(0x100..<0x110, with: [UInt8](repeating: 0, count: 16))
        #expect(target.holds(expected))
        let all = RTTLocator(try target.settings())
        try target.transfer { () throws(ProvisioningError) in try all.forget(in: Inside(target)) }
        #expect(try find(target) == nil)
        for offset in [0, 0x800] {
            expected.replaceSubrange(offset..<offset + 16, with: [UInt8](repeating: 0, count: 16))
        }
        #expect(target.holds(expected))
    }

    @Test func neverWritesWhereNoBlockIs() throws {
        let target = TargetInMemory()
        let before = target.ram
        for address in [0, TargetInMemory.base + 0x20, TargetInMemory.base + 4090, .max] {
            let locator = RTTLocator(try target.settings(), address: address)
            try target.transfer { () throws(ProvisioningError) in
                try locator.forget(in: Inside(target))
            }
        }
        #expect(target.holds(before))
    }
}

/// A target that is halted already.
private final class Inside: TargetMemory {
    let target: TargetInMemory
    let name = "target"
    let haltsCore = true
    let requestLength = 64

    init(_ target: TargetInMemory) { self.target = target }
    func beginTransfer() {}
    func endTransfer() {}
    func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        try target.read(at: address, count: count)
    }
    func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError) {
        try target.write(at: address, bytes)
    }
}
