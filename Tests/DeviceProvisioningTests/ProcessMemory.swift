import Channels
import DeviceProvisioning
import DeviceTestHAL
import Foundation
import Provisioning
import ProvisioningTesting
import Synchronization

/// This process as the target.
final class ProcessMemory: TargetMemory {
    let name = "this process"
    let haltsCore = true
    let requestLength = 64
    var run: () -> Void = {}

    static var block: AddressRange {
        var length = 0
        let start = UInt64(UInt(bitPattern: test_rtt_block(&length)))
        return AddressRange(address: start, length: length)!
    }

    static var regions: [AddressRange] {
        let start = UInt64(UInt(bitPattern: test_rtt_rings()))
        return [block, AddressRange(address: start, length: TEST_RTT_SIZE)!]
    }

    func beginTransfer() {}
    func endTransfer() { run() }

    func read(at address: UInt64, count: Int) throws(ProvisioningError) -> [UInt8] {
        let start = try pointer(address, count)
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    func write(at address: UInt64, _ bytes: [UInt8]) throws(ProvisioningError) {
        try pointer(address, bytes.count).copyMemory(from: bytes, byteCount: bytes.count)
    }

    private func pointer(_ address: UInt64, _ count: Int) throws(ProvisioningError)
        -> UnsafeMutableRawPointer
    {
        guard Self.regions.contains(where: { $0.contains(address, count) }),
            let pointer = UnsafeMutableRawPointer(bitPattern: UInt(address))
        else { throw ProvisioningError(.probeProtocol, "nothing at \(address)") }
        return pointer
    }
}

/// The device's end of its rings. The device library runs where the host's channel lets it, on its thread;
/// what goes in and out waits here.
final class RingEnd: ChannelFarEnd {
    private struct State {
        var toHost: [UInt8] = []
        var fromHost: [UInt8] = []
        var isReading = false
    }
    private let state = Mutex(State())

    /// What the core does between two looks. A device that nobody asks takes no more than fits its ring.
    func run() {
        state.withLock { state in
            let count = writeWhatFits(state.toHost)
            state.toHost.removeFirst(count)
            while state.isReading, state.fromHost.count < 4096, case let byte = dp_rtt_read(0),
                byte >= 0
            {
                state.fromHost.append(UInt8(truncatingIfNeeded: byte))
            }
        }
    }

    func send(_ bytes: [UInt8]) { state.withLock { $0.toHost += bytes } }

    func receive(atMost limit: Int, within timeout: Duration) -> [UInt8] {
        let end = ContinuousClock.now + timeout
        repeat {
            let bytes = state.withLock { state in
                state.isReading = true
                defer { state.fromHost.removeFirst(min(limit, state.fromHost.count)) }
                return Array(state.fromHost.prefix(limit))
            }
            if !bytes.isEmpty { return bytes }
            usleep(100)
        } while ContinuousClock.now < end
        return []
    }

    func leave() {}
}

/// As much as fits, whatever the ring's mode.
private func writeWhatFits(_ bytes: [UInt8]) -> Int {
    for (index, byte) in bytes.enumerated() where dp_rtt_write(0, [byte], 1) == 0 { return index }
    return bytes.count
}
