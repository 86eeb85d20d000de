import COSE
import DeviceProvisioning
import DeviceTestHAL
import Foundation
import Issuance
import Provisioning
import Registry
import Testing

extension DeviceTests {
    /// Power fails during each single flash operation of a device that is being provisioned; then the
    /// user runs the command again.
    @Suite struct WholeFlowPowerCutTests {
        enum Life: String, CaseIterable, CustomTestStringConvertible {
            case firstRun = "first run"
            case newCredentials = "new credentials for the same key"
            case erasedKey = "key erased when flashing"
            case replacedKey = "key replaced over the wire"

            var testDescription: String { rawValue }
        }

        /// What the device holds under key 1.
        struct Holding: Equatable {
            var key: [UInt8]?
            var credentials: [CredentialType: [UInt8]] = [:]

            init() {}

            init(_ device: Device) throws {
                key = try device.publicKey(1)
                for type in CredentialType.allCases {
                    let number = Int(type.rawValue)
                    let first = try device.call(
                        .read, Device.Command.credential,
                        ["kid": 1, "type": .int(number), "off": 0])
                    guard case .payload(let map) = first else { continue }
                    let bytes = try device.credential(type: number)
                    #expect(map["sha256"] == .bytes(sha256(bytes)))
                    credentials[type] = bytes
                }
            }
        }

        /// Every ninth operation, with `PROVISION_TEST_THOROUGH=1` every one (two minutes):
        /// `PowerCutTests` cuts at each of them, without the host.
        private static let stride: UInt32 =
            ProcessInfo.processInfo.environment["PROVISION_TEST_THOROUGH"] == "1" ? 1 : 9
        private static let tears = [TEST_TEAR_NOTHING, TEST_TEAR_HALF, TEST_TEAR_DONE]

        @Test(arguments: Life.allCases)
        func theNextRunContinues(_ life: Life) throws {
            let desk = try Desk()
            let device = Device.blank()
            if life != .firstRun { try desk.run() }
            var operation: UInt32 = 0
            var cuts = 0
            while try cutAndContinue(life, at: operation, Self.tears[cuts % 3], device, desk) {
                operation += Self.stride
                cuts += 1
                try #require(operation < 10_000, "the run never gets to its end")
            }
            #expect(operation > 300, "\(life.rawValue): \(operation) flash operations")
            #expect(try desk.registry.verify().isIntact)
            #expect(test_flash_breaches() == 0)
        }

        /// False: the run ended before the power failed.
        private func cutAndContinue(
            _ life: Life, at operation: UInt32, _ tear: test_tear, _ device: Device, _ desk: Desk
        ) throws -> Bool {
            let keepsKey = life == .newCredentials
            let before = life == .firstRun ? Holding() : try Holding(device)
            let id = Self.deviceID(life, operation)
            let newKey = life == .replacedKey ? try ImportableKey() : nil
            _ = desk.issuer.takeSigned()
            change(life, id, newKey, at: operation, tear, desk)
            let wasCut = test_flash_was_cut()
            let signed = desk.issuer.takeSigned()

            #expect(device.restart(), "operation \(operation)")
            let found = try Holding(device)
            #expect(found.key != nil, "operation \(operation)")
            #expect(!keepsKey || found.key == before.key, "operation \(operation)")
            if let newKey {
                #expect(
                    found.key == before.key || found.key == newKey.publicKey,
                    "operation \(operation)")
            }
            for (type, credential) in found.credentials {
                let isWhole = credential == before.credentials[type] || signed.contains(credential)
                #expect(isWhole, "operation \(operation): \(type)")
            }
            if keepsKey {
                #expect(Set(found.credentials.keys) == Set(before.credentials.keys))
            }

            desk.onFlash = life == .replacedKey ? nil : {}
            let outcome = try desk.run()
            try expectProvisioned(device, outcome, desk)
            return wasCut
        }

        /// The run whose power fails at flash operation `operation`.
        private func change(
            _ life: Life, _ id: [UInt8], _ newKey: ImportableKey?, at operation: UInt32,
            _ tear: test_tear, _ desk: Desk
        ) {
            desk.onFlash = {}
            switch life {
            case .firstRun, .erasedKey:
                desk.onFlash = {
                    test_board_reset()
                    test_board_set_id(id, id.count)
                    test_flash_cut_at(operation, tear)
                    _ = dp_start()
                }
            case .newCredentials:
                desk.plan.validity = 86_400 * Int64(1000 - operation)
                test_flash_cut_at(test_flash_operations() + operation, tear)
            case .replacedKey:
                desk.onFlash = nil
                desk.plan.replacesKey = true
                test_flash_cut_at(test_flash_operations() + operation, tear)
                _ = try? Device().call(
                    .write, Device.Command.key,
                    ["kid": 1, "replace": true, "value": .bytes(newKey?.scalar ?? [])])
            }
            _ = try? desk.run()
        }

        /// A board of its own for each first run, and one that keeps its name.
        private static func deviceID(_ life: Life, _ operation: UInt32) -> [UInt8] {
            guard life == .firstRun else { return [0, 1, 2, 3, 4, 5, 6, 7] }
            return [8, 0, 0, 0] + withUnsafeBytes(of: operation.bigEndian) { Array($0) }
        }

        private func expectProvisioned(
            _ device: Device, _ outcome: Outcome, _ desk: Desk
        ) throws {
            let held = try Holding(device)
            #expect(held.key == outcome.registration.publicKey)
            let identity = outcome.registration.identity
            var valid: [KeyRecord] = []
            for state in [KeyState.pending, .active] {
                let filter = KeyFilter(device: identity, state: state)
                valid += try desk.registry.keys(matching: filter).records
            }
            #expect(valid.map(\.publicKey) == [held.key])
            #expect(valid.map(\.state) == [.active])
            let inForce = try desk.registry.credentialsInForce(
                for: outcome.registration.thumbprint)
            #expect(Set(inForce.map(\.type)) == [.x509Chain, .cwt])
            for credential in inForce {
                #expect(held.credentials[credential.type] == credential.bytes)
            }
            #expect(held.credentials[.trustAnchors] != nil)
        }
    }
}
