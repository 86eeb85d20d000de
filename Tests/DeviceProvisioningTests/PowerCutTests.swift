import CBOR
import DeviceProvisioning
import DeviceTestHAL
import Testing

extension DeviceTests {
    /// Power fails during each single flash operation of what a device does in its life.
    @Suite struct PowerCutTests {
        /// What a host can see of the device.
        struct Contents: Equatable {
            var key: [UInt8]?
            var imported: [UInt8]?
            var chain: [UInt8]?
            var token: [UInt8]?
            var locked: Bool

            init(_ device: Device) throws {
                key = try device.publicKey(1)
                imported = try device.publicKey(4)
                chain = try Contents.credential(device, type: 1)
                token = try Contents.credential(device, type: 2)
                let description = try device.payload(.read, Device.Command.device, [:])
                locked = description["locked"] == true
            }

            private static func credential(_ device: Device, type: Int) throws -> [UInt8]? {
                let first = try device.call(
                    .read, Device.Command.credential,
                    ["kid": 1, "type": .int(type), "off": 0])
                guard case .payload(let map) = first else { return nil }
                let bytes = try device.credential(type: type)
                #expect(map["sha256"] == .bytes(sha256(bytes)))
                return bytes
            }
        }

        struct Scenario: Sendable, CustomTestStringConvertible {
            let testDescription: String
            /// Brings a blank board to where power fails.
            var before: @Sendable (Device) throws -> Void = { _ in }
            /// During this, power fails.
            let change: @Sendable (Device) throws -> Void
            var changesBanks = false
            /// What the change may leave besides everything and nothing.
            var mayLeave: @Sendable (_ found: Contents, _ old: Contents, _ new: Contents) -> Bool =
                {
                    _, _, _ in false
                }
        }

        static let scalar = CBORValue.bytes([UInt8](repeating: 0x11, count: 32))
        static let otherScalar = CBORValue.bytes([UInt8](repeating: 0x22, count: 32))
        /// The replacing key is imported, so that each run makes the same one.
        static let replaceKey: CBORValue = ["kid": 1, "value": otherScalar, "replace": true]

        static func fill(_ device: Device) throws {
            _ = try device.payload(
                .write, Device.Command.key, ["kid": 1, "value": scalar, "replace": true])
            _ = try device.payload(
                .write, Device.Command.key, ["kid": 4, "value": otherScalar])
            _ = try device.install(pattern(1201), type: 1)
            _ = try device.install(pattern(90), type: 2)
        }

        /// Until the next record no longer fits the bank.
        static func fillBank(_ device: Device) throws {
            try fill(device)
            for round in 0..<2 { _ = try device.install(pattern(1850, seed: round), type: 1) }
            _ = try device.install(pattern(300), type: 1)
            for round in 0..<9 { _ = try device.install(pattern(153, seed: round), type: 2) }
        }

        static let scenarios = [
            Scenario(testDescription: "import a key") {
                _ = try $0.call(.write, Device.Command.key, ["kid": 4, "value": scalar])
            },
            Scenario(testDescription: "replace a key", before: fill) {
                _ = try $0.call(.write, Device.Command.key, replaceKey)
            } mayLeave: { found, old, new in
                // The new key first, then its predecessor's credentials one by one.
                var rest = new
                rest.token = old.token
                return found == rest
                    || found == Contents(copying: rest, chain: old.chain)
            },
            Scenario(testDescription: "erase a key", before: fill) {
                _ = try $0.call(.write, Device.Command.erase, ["kid": 4])
            },
            Scenario(testDescription: "write a credential", before: fill) {
                _ = try $0.install(pattern(300, seed: 9), type: 1)
            },
            Scenario(testDescription: "lock", before: fill) {
                _ = try $0.call(.write, Device.Command.lock, [:])
            },
            Scenario(
                testDescription: "write a credential and change banks", before: fillBank,
                change: { _ = try $0.install(pattern(400, seed: 9), type: 2) },
                changesBanks: true),
        ]

        @Test(arguments: scenarios, [TEST_TEAR_NOTHING, TEST_TEAR_HALF, TEST_TEAR_DONE])
        func leavesTheOldOrTheNew(_ scenario: Scenario, tear: test_tear) throws {
            let device = Device.blank()
            try scenario.before(device)
            let flash = Array(
                UnsafeBufferPointer(start: test_flash_bytes(), count: Int(test_flash_size())))
            let old = try Contents(device)
            let bank = activeBank()
            let first = test_flash_operations()
            try scenario.change(device)
            let operations = test_flash_operations() - first
            let new = try Contents(device)
            #expect(old != new)
            #expect(operations > 3)
            #expect((activeBank() != bank) == scenario.changesBanks)
            for operation in 0..<operations {
                restore(flash)
                #expect(dp_start())
                test_flash_cut_at(operation, tear)
                try? scenario.change(device)
                #expect(test_flash_was_cut())
                #expect(device.restart())
                let found = try Contents(device)
                let isWhole = found == old || found == new || scenario.mayLeave(found, old, new)
                #expect(isWhole, "operation \(operation) of \(operations)")
                // And the device goes on as if nothing had been.
                if operation % 16 == 0 {
                    try scenario.change(device)
                    #expect(try Contents(device) == new)
                    #expect(device.restart())
                    #expect(try Contents(device) == new)
                }
                #expect(test_flash_breaches() == 0)
            }
        }

        /// The first start has no old state: what counts is that the next one works.
        @Test(arguments: [TEST_TEAR_NOTHING, TEST_TEAR_HALF, TEST_TEAR_DONE])
        func firstStartSurvives(tear: test_tear) throws {
            let device = Device.blank()
            let operations = test_flash_operations()
            for operation in 0..<operations {
                test_board_reset()
                test_flash_cut_at(operation, tear)
                _ = dp_start()
                #expect(device.restart())
                let key = try device.publicKey(1)
                #expect(key != nil)
                #expect(device.restart())
                #expect(try device.publicKey(1) == key)
            }
        }

        /// A second cut during what the first one left, mostly while banks change.
        @Test func survivesCutAfterCut() throws {
            let device = Device.blank()
            try Self.fillBank(device)
            let old = try Contents(device)
            var random = SplitMix(state: 7)
            var expected = old.token
            for round in 0..<400 {
                let credential = pattern(Int(random.next() % 1400) + 1, seed: round)
                let tear = [TEST_TEAR_NOTHING, TEST_TEAR_HALF, TEST_TEAR_DONE][
                    Int(random.next() % 3)]
                test_flash_cut_at(test_flash_operations() + UInt32(random.next() % 900), tear)
                _ = try? device.install(credential, type: 2)
                #expect(device.restart())
                let found = try Contents(device)
                #expect(found.token == expected || found.token == credential)
                expected = found.token
                #expect(found.key == old.key && found.chain == old.chain)
                #expect(found.imported == old.imported)
            }
            #expect(test_flash_breaches() == 0)
        }

        @Test func startsWhateverTheFlashHolds() throws {
            var random = SplitMix(state: 3)
            for round in 0..<200 {
                let device = Device.blank()
                try Self.fill(device)
                let flash = try #require(test_flash_bytes())
                if round.isMultiple(of: 2) {
                    for offset in 0..<Int(test_flash_size()) {
                        flash[offset] = UInt8(truncatingIfNeeded: random.next())
                    }
                } else {
                    for _ in 0..<20 {
                        flash[Int(random.next() % UInt64(test_flash_size() / 2))] ^=
                            UInt8(truncatingIfNeeded: random.next())
                    }
                }
                _ = device.restart()
                guard case .payload = try device.call(.read, Device.Command.device, [:]) else {
                    Issue.record("round \(round)")
                    return
                }
                _ = try device.install(pattern(900), type: 1)
            }
        }

        /// The bank of the higher generation.
        private func activeBank() -> Int {
            let half = Int(test_flash_size()) / 2
            let generations = [0, half].map { base in
                test_flash_bytes()!.withMemoryRebound(to: UInt32.self, capacity: half) {
                    $0[base / 4 + 2] == .max ? 0 : $0[base / 4]
                }
            }
            return generations[0] > generations[1] ? 0 : 1
        }

        private func restore(_ bytes: [UInt8]) {
            test_board_reset()
            test_flash_restore(bytes)
        }
    }
}

extension DeviceTests.PowerCutTests.Contents {
    init(copying other: Self, chain: [UInt8]?) {
        self = other
        self.chain = chain
    }
}

/// Reproducible noise: SplitMix64, Steele, Lea and Flood 2014.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
