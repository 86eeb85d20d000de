import CBOR
import DeviceProvisioning
import DeviceTestHAL
import OpenSSL
import Testing

extension DeviceTests {
    @Suite struct DescriptionAndKeyTests {
        @Test func describesItself() throws {
            let device = Device.blank()
            #expect(
                try device.payload(.read, Device.Command.device, [:]) == [
                    "v": 1, "id": .bytes(Array(0...7)), "board": "test-board", "fw": "1.2.3",
                    "algs": [-7], "keys": [1], "chunk": 384, "locked": false,
                ])
            // The longest description still fits; a board's name is cut at its limit.
            let id = pattern(64)
            test_board_set_id(id, id.count)
            test_board_set_name(String(repeating: "n", count: 40))
            for _ in 2...8 { _ = try device.payload(.write, Device.Command.key, [:]) }
            let description = try device.payload(.read, Device.Command.device, [:])
            #expect(description["id"] == .bytes(id))
            #expect(description["board"] == .text(String(repeating: "n", count: 32)))
            #expect(description["keys"] == [1, 2, 3, 4, 5, 6, 7, 8])
        }

        @Test func makesItsKeyOnceAndKeepsIt() throws {
            let device = Device.blank()
            let key = try device.payload(.read, Device.Command.key, ["kid": 1])
            #expect(key["alg"] == -7)
            #expect(key["imported"] == false)
            let point = try #require(key["pub"]?.bytes)
            _ = try VerificationKey(p256: point)
            #expect(device.restart())
            #expect(try device.publicKey(1) == point)
            #expect(try Device.blank().publicKey(1) != point)
        }

        @Test func makesKeysUnderGivenAndChosenIDs() throws {
            let device = Device.blank()
            let chosen = try device.payload(.write, Device.Command.key, ["alg": -7])
            #expect(chosen["kid"] == 2)
            let given = try device.payload(.write, Device.Command.key, ["kid": 0x3fff_ffff])
            #expect(given["kid"] == 0x3fff_ffff)
            #expect(given["pub"] != chosen["pub"])
            let keys = try device.payload(.read, Device.Command.device, [:])["keys"]
            #expect(keys == [1, 2, 0x3fff_ffff])
        }

        @Test func importsAKey() throws {
            let device = Device.blank()
            // RFC 6979 A.2.5.
            let scalar = octets("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
            let point = octets(
                "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                    + "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299")
            let imported: CBORMap = [
                "kid": 7, "alg": -7, "pub": .bytes(point), "imported": true,
            ]
            #expect(
                try device.payload(
                    .write, Device.Command.key, ["kid": 7, "value": .bytes(scalar)]) == imported)
            #expect(device.restart())
            #expect(try device.payload(.read, Device.Command.key, ["kid": 7]) == imported)
            // A random key in its place is no longer an imported one.
            let replaced = try device.payload(
                .write, Device.Command.key, ["kid": 7, "replace": true])
            #expect(replaced["imported"] == false)
            #expect(replaced["pub"] != imported["pub"])
        }

        @Test func replacesOnlyOnRequest() throws {
            let device = Device.blank()
            let first = try device.publicKey(1)
            #expect(try device.call(.write, Device.Command.key, ["kid": 1]) == .groupError(3))
            #expect(
                try device.call(.write, Device.Command.key, ["kid": 1, "replace": false])
                    == .groupError(3))
            #expect(try device.publicKey(1) == first)
            #expect(try device.install(pattern(50), type: 2) == .payload(["off": 50]))
            let second = try device.payload(
                .write, Device.Command.key, ["kid": 1, "replace": true])["pub"]?.bytes
            #expect(second != first)
            #expect(device.restart())
            #expect(try device.publicKey(1) == second)
            // What was issued for the old key went with it.
            #expect(
                try device.call(
                    .read, Device.Command.credential, ["kid": 1, "type": 2, "off": 0])
                    == .groupError(2))
        }

        @Test func keepsTheOldKeyIfNoNewOneCanBeMade() throws {
            let device = Device.blank()
            let first = try device.publicKey(1)
            test_board_set_entropy(false)
            let replace: CBORValue = ["kid": 1, "replace": true]
            #expect(try device.call(.write, Device.Command.key, replace) == .groupError(8))
            let zero: CBORValue = [
                "kid": 1, "replace": true, "value": .bytes([UInt8](repeating: 0, count: 32)),
            ]
            #expect(try device.call(.write, Device.Command.key, zero) == .groupError(7))
            #expect(try device.call(.write, Device.Command.key, ["kid": 9]) == .groupError(8))
            #expect(try device.publicKey(1) == first)
            #expect(device.restart())
            #expect(try device.publicKey(1) == first)
        }

        @Test func erasesAKeyAndItsCredentials() throws {
            let device = Device.blank()
            _ = try device.payload(.write, Device.Command.key, ["kid": 5])
            #expect(try device.install(pattern(90), 5, type: 1) == .payload(["off": 90]))
            #expect(try device.call(.write, Device.Command.erase, ["kid": 5]) == .payload([:]))
            #expect(try device.call(.read, Device.Command.key, ["kid": 5]) == .groupError(2))
            #expect(try device.call(.write, Device.Command.erase, ["kid": 5]) == .groupError(2))
            #expect(
                try device.call(
                    .read, Device.Command.credential, ["kid": 5, "type": 1, "off": 0])
                    == .groupError(2))
            // The last key may go as well; the next start makes another.
            let first = try device.publicKey(1)
            #expect(try device.call(.write, Device.Command.erase, ["kid": 1]) == .payload([:]))
            #expect(try device.payload(.read, Device.Command.device, [:])["keys"] == [])
            #expect(device.restart())
            #expect(try device.publicKey(1) != first)
        }

        @Test(
            arguments: [
                ([:], 1), (["kid": "1"], 1), (["kid": -1], 1), (["kid": 0x1_0000_0000], 1),
                (["kid": [1]], 1), (["kid": .tagged(1, 1)], 1), (["kid": 0], 2), (["kid": 2], 2),
                (["kid": 0xffff_ffff], 2),
            ] as [(CBORValue, Int)])
        func refusesToReadAKey(_ request: CBORValue, code: Int) throws {
            let device = Device.blank()
            #expect(try device.call(.read, Device.Command.key, request) == .groupError(code))
            #expect(try device.call(.write, Device.Command.erase, request) == .groupError(code))
        }

        @Test(
            arguments: [
                (["kid": "1"], 1), (["kid": -1], 1), (["alg": "ES256"], 1), (["replace": 1], 1),
                (["value": "text"], 1), (["kid": 0], 10), (["kid": 0x4000_0000], 10),
                (["alg": -8], 10), (["alg": -35], 10), (["alg": 7], 10), (["alg": 6], 10),
                (["value": .bytes([])], 5), (["value": .bytes(pattern(31))], 5),
                (["value": .bytes(pattern(33))], 5), (["kid": 1], 3),
                (["value": .bytes([UInt8](repeating: 0xff, count: 32))], 7),
            ] as [(CBORValue, Int)])
        func refusesToMakeAKey(_ request: CBORValue, code: Int) throws {
            let device = Device.blank()
            #expect(try device.call(.write, Device.Command.key, request) == .groupError(code))
            #expect(try device.payload(.read, Device.Command.device, [:])["keys"] == [1])
        }

        @Test func holdsEightKeys() throws {
            let device = Device.blank()
            for kid in 2...8 {
                #expect(
                    try device.payload(.write, Device.Command.key, [:])["kid"] == .int(kid))
            }
            #expect(try device.call(.write, Device.Command.key, [:]) == .groupError(9))
            _ = try device.payload(.write, Device.Command.erase, ["kid": 3])
            #expect(try device.payload(.write, Device.Command.key, [:])["kid"] == 3)
        }

        @Test func startsWithoutEntropyButMakesNoKey() throws {
            test_board_reset()
            test_board_set_entropy(false)
            #expect(!dp_start())
            let device = Device()
            #expect(try device.payload(.read, Device.Command.device, [:])["keys"] == [])
            #expect(try device.call(.read, Device.Command.key, ["kid": 1]) == .groupError(2))
            #expect(!dp_report())
            test_board_set_entropy(true)
            #expect(device.restart())
            #expect(try device.payload(.read, Device.Command.device, [:])["keys"] == [1])
        }

        @Test func refusesSecretsAndWrongOperations() throws {
            let device = Device.blank()
            let secret: CBORValue = ["slot": 1, "data": .bytes([1])]
            #expect(try device.call(.write, Device.Command.secret, secret) == .groupError(10))
            #expect(try device.call(.write, Device.Command.device, [:]) == .error(8))
            #expect(try device.call(.read, Device.Command.erase, ["kid": 1]) == .error(8))
            #expect(try device.call(.read, 99, [:]) == .error(8))
            // Version 1 has no group errors: there it is the protocol's "no entry".
            #expect(
                try device.call(.read, Device.Command.key, ["kid": 2], version: 0) == .error(5))
        }
    }
}
