import Provisioning
import Testing

@testable import Registry

/// What a registry gives of many devices: pages and streams.
@Suite struct ListingTests {
    let files = try! TemporaryRegistry()

    @Test func `Pages and streams give everything once, in order`() throws {
        let registry = try files.open()
        for key in 1...7 {
            _ = try registry.register(claim(key, device: identity(key % 5)), at: noon)
        }
        var paged: [DeviceRecord] = []
        var cursor: RegistryCursor?
        repeat {
            let page = try registry.devices(after: cursor, limit: 2)
            #expect(page.records.count <= 2)
            paged += page.records
            cursor = page.next
        } while cursor != nil
        var streamed: [DeviceRecord] = []
        try registry.snapshot().forEachDevice { streamed.append($0) }
        #expect(paged == streamed && paged.map(\.keys.count) == [2, 2, 1, 1, 1])
        #expect(try registry.keys(matching: KeyFilter(state: .revoked)).records.count == 2)
        let device = KeyFilter(device: identity(1), state: .pending)
        #expect(try registry.keys(matching: device).records.map(\.thumbprint) == [thumbprint(6)])
        let boards = try registry.devices(matching: DeviceFilter(board: "nothing"))
        #expect(boards.records.isEmpty && boards.next == nil)
        // What the receiver throws ends the stream, and comes out as it is.
        var count = 0
        let stopped = failure {
            try registry.snapshot().forEachKey { _ in
                count += 1
                throw ProvisioningError(.interrupted, "enough")
            }
        }
        #expect(stopped?.code == .interrupted && count == 1)
        let statistics = try registry.statistics()
        #expect(statistics.deviceCount == 5)
        #expect(statistics.keyCounts == [.pending: 5, .active: 0, .revoked: 2])
        #expect(statistics.head.sequenceNumber == 5 + 7 + 2)
        #expect(
            try registry.document(streamed[0].keys[0].evidenceDigest)
                == claim(1, device: identity(1)).evidence)
    }

    /// Several pages, and keys that were registered long after their devices.
    @Test func `Streams with credentials give what each key has`() throws {
        let registry = try files.open()
        try registry.transaction(at: noon) { transaction in
            for number in 0..<900 {
                let device = identity(number % 600, board: "board\(number % 3)")
                _ = try transaction.register(claim(number, device: device))
                guard !number.isMultiple(of: 5) else { continue }
                try transaction.record(
                    [credential(number), credential(number + 1000, type: .cwt)],
                    for: thumbprint(number))
            }
        }
        let snapshot = try registry.snapshot()
        for filter in [DeviceFilter.all, DeviceFilter(board: "board1")] {
            var plain: [DeviceRecord] = []
            try snapshot.forEachDevice(matching: filter) { plain.append($0) }
            var devices: [DeviceRecord] = []
            try snapshot.forEachDeviceWithCredentials(matching: filter) { device, credentials in
                devices.append(device)
                let asked = try device.keys.map { try registry.credentials(of: $0.thumbprint) }
                #expect(credentials == asked)
            }
            #expect(devices == plain && devices.count == (filter == .all ? 600 : 200))
            #expect(devices.map(\.keys.count).reduce(0, +) == (filter == .all ? 900 : 300))
        }
        for filter in [KeyFilter.all, KeyFilter(state: .revoked)] {
            var plain: [KeyRecord] = []
            try snapshot.forEachKey(matching: filter) { plain.append($0) }
            var keys: [KeyRecord] = []
            try snapshot.forEachKeyWithCredentials(matching: filter) { key, credentials in
                keys.append(key)
                let asked = try registry.credentials(of: key.thumbprint)
                #expect(credentials == asked)
            }
            #expect(keys == plain && keys.count == (filter == .all ? 900 : 300))
        }
    }
}
