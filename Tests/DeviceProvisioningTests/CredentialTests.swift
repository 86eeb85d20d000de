import CBOR
import DeviceProvisioning
import DeviceTestHAL
import Testing

extension DeviceTests {
    @Suite struct CredentialTests {
        func read(_ device: Device, type: Int, offset: Int = 0) throws -> Device.Answer {
            try device.call(
                .read, Device.Command.credential,
                ["kid": 1, "type": .int(type), "off": .int(offset)])
        }

        @Test(arguments: [1, 2, 3, 4, 5, 383, 384, 385, 1500, 3000])
        func storesAndGivesBack(count: Int) throws {
            let device = Device.blank()
            let credential = pattern(count)
            #expect(try device.install(credential, type: 1) == .payload(["off": .int(count)]))
            #expect(try device.credential(type: 1) == credential)
            #expect(device.restart())
            #expect(try device.credential(type: 1) == credential)
            let first: CBORMap = [
                "off": 0, "len": .int(count), "data": .bytes(Array(credential.prefix(384))),
                "sha256": .bytes(sha256(credential)),
            ]
            #expect(try read(device, type: 1) == .payload(first))
            #expect(
                try read(device, type: 1, offset: count)
                    == .payload(["off": .int(count), "len": .int(count), "data": .bytes([])]))
            #expect(try read(device, type: 1, offset: count + 1) == .groupError(5))
        }

        @Test(arguments: [1, 3, 7, 64]) func takesPiecesOfAnyLength(chunk: Int) throws {
            let device = Device.blank()
            let credential = pattern(203)
            #expect(
                try device.install(credential, type: 2, chunk: chunk) == .payload(["off": 203]))
            #expect(try device.credential(type: 2) == credential)
        }

        @Test func isVisibleOnlyWhenComplete() throws {
            let device = Device.blank()
            let old = pattern(500), new = pattern(600, seed: 1)
            _ = try device.install(old, type: 1)
            #expect(
                try device.write(new, type: 1, offset: 0, count: 384) == .payload(["off": 384]))
            #expect(try device.credential(type: 1) == old)
            #expect(
                try device.write(new, type: 1, offset: 384, count: 216) == .payload(["off": 600]))
            #expect(try device.credential(type: 1) == new)
        }

        @Test func answersOtherOffsetsWithTheExpectedOne() throws {
            let device = Device.blank()
            let credential = pattern(1000)
            func write(_ offset: Int, _ count: Int = 300) throws -> Device.Answer {
                try device.write(credential, type: 1, offset: offset, count: count)
            }
            #expect(try write(300) == .payload(["off": 0]))
            #expect(try write(0) == .payload(["off": 300]))
            // Answers are lost: each write comes twice.
            #expect(try write(0) == .payload(["off": 300]))
            #expect(try write(600) == .payload(["off": 300]))
            #expect(try write(300) == .payload(["off": 600]))
            #expect(try write(300) == .payload(["off": 600]))
            #expect(try write(0) == .payload(["off": 600]))
            #expect(try write(600) == .payload(["off": 900]))
            #expect(try write(900, 100) == .payload(["off": 1000]))
            #expect(try write(900, 100) == .payload(["off": 1000]))
            #expect(try device.credential(type: 1) == credential)
        }

        @Test func aRepeatAfterTheLastAnswerWasLostWritesNothing() throws {
            let device = Device.blank()
            let short = pattern(100), long = pattern(900)
            _ = try device.install(short, type: 1)
            _ = try device.install(long, type: 2)
            let operations = test_flash_operations()
            #expect(try device.install(short, type: 1) == .payload(["off": 100]))
            #expect(try device.install(long, type: 2) == .payload(["off": 900]))
            #expect(device.restart())
            #expect(try device.install(short, type: 1) == .payload(["off": 100]))
            #expect(try device.install(long, type: 2) == .payload(["off": 900]))
            #expect(test_flash_operations() == operations)
            #expect(try device.credential(type: 2) == long)
        }

        @Test func refusesWhatDoesNotMatchItsDigest() throws {
            let device = Device.blank()
            let old = pattern(400), new = pattern(500, seed: 1)
            _ = try device.install(old, type: 1)
            _ = try device.write(new, type: 1, offset: 0, count: 300)
            var wrong = new
            wrong[450] ^= 1
            #expect(
                try device.write(wrong, type: 1, offset: 300, count: 200) == .groupError(6))
            #expect(try device.credential(type: 1) == old)
            // Nothing of it stays: the device expects the start.
            #expect(
                try device.write(new, type: 1, offset: 300, count: 200) == .payload(["off": 0]))
            #expect(try device.install(new, type: 1) == .payload(["off": 500]))
            #expect(try device.credential(type: 1) == new)
            // Not even what is stored already passes with other octets.
            #expect(
                try device.write(wrong, type: 1, offset: 0, count: 384, digest: sha256(new))
                    == .payload(["off": 384]))
            #expect(
                try device.write(wrong, type: 1, offset: 384, count: 116) == .groupError(6))
            #expect(try device.credential(type: 1) == new)
        }

        @Test func isWriteOnceUnderTheLock() throws {
            let device = Device.blank()
            let stored = pattern(120)
            _ = try device.install(stored, type: 1)
            #expect(
                try device.write(pattern(800, seed: 2), type: 1, offset: 0, count: 384)
                    == .payload(["off": 384]))
            #expect(try device.call(.write, Device.Command.lock, [:]) == .payload([:]))
            #expect(try device.call(.write, Device.Command.lock, [:]) == .payload([:]))
            // What had begun before the lock does not end after it.
            #expect(
                try device.write(pattern(800, seed: 2), type: 1, offset: 384, count: 384)
                    == .payload(["off": 768]))
            #expect(
                try device.write(pattern(800, seed: 2), type: 1, offset: 768, count: 32)
                    == .groupError(4))
            for _ in 0..<2 {
                #expect(try device.payload(.read, Device.Command.device, [:])["locked"] == true)
                #expect(try device.install(pattern(9), type: 1) == .groupError(4))
                let replace: CBORValue = ["kid": 1, "replace": true]
                #expect(try device.call(.write, Device.Command.key, replace) == .groupError(4))
                #expect(
                    try device.call(.write, Device.Command.erase, ["kid": 1]) == .groupError(4))
                // The stored one again changes nothing, so it is no write.
                #expect(try device.install(stored, type: 1) == .payload(["off": 120]))
                #expect(try device.credential(type: 1) == stored)
                #expect(device.restart())
            }
            // An empty slot can be filled, once.
            #expect(try device.install(pattern(500), type: 2) == .payload(["off": 500]))
            #expect(try device.install(pattern(500, seed: 1), type: 2) == .groupError(4))
            #expect(try device.credential(type: 2) == pattern(500))
        }

        @Test func tellsWhenStorageIsFull() throws {
            let device = Device.blank()
            // 8 KiB in a bank, the key's records included.
            #expect(try device.install(pattern(9000), type: 1) == .groupError(9))
            #expect(try device.install(pattern(66_000), type: 1) == .groupError(9))
            #expect(try device.install(pattern(3900), type: 1) == .payload(["off": 3900]))
            #expect(try device.install(pattern(3000), type: 2) == .payload(["off": 3000]))
            #expect(try device.install(pattern(1500), type: 3) == .groupError(9))
            // A replacement needs room beside what it replaces.
            #expect(try device.install(pattern(3900, seed: 1), type: 1) == .groupError(9))
            #expect(try device.credential(type: 1) == pattern(3900))
            #expect(try device.credential(type: 2) == pattern(3000))
            // A full store can be emptied.
            #expect(try device.call(.write, Device.Command.erase, ["kid": 1]) == .payload([:]))
            #expect(device.restart())
            #expect(try device.install(pattern(3900, seed: 1), type: 1) == .payload(["off": 3900]))
            #expect(test_flash_breaches() == 0)
        }

        @Test func replacesWithoutEnd() throws {
            let device = Device.blank()
            let point = try device.publicKey(1)
            for round in 0..<40 {
                let credential = pattern(1500, seed: round)
                #expect(try device.install(credential, type: 1) == .payload(["off": 1500]))
                #expect(try device.credential(type: 1) == credential)
            }
            #expect(try device.publicKey(1) == point)
            #expect(test_flash_breaches() == 0)
        }

        @Test func survivesAChangeOfBanksInTheMiddle() throws {
            let device = Device.blank()
            let credential = pattern(1500)
            var answer = try device.write(credential, type: 1, offset: 0, count: 384)
            #expect(answer == .payload(["off": 384]))
            // Each of these keys takes room in the log, until it changes banks.
            for _ in 0..<60 {
                _ = try device.payload(.write, Device.Command.key, ["kid": 1, "replace": true])
            }
            answer = try device.write(credential, type: 1, offset: 384, count: 384)
            #expect(answer == .payload(["off": 0]))
            #expect(try device.install(credential, type: 1) == .payload(["off": 1500]))
            #expect(try device.credential(type: 1) == credential)
        }

        static let piece = CBORValue.bytes(pattern(10))
        static let digest = CBORValue.bytes(sha256(pattern(10)))

        @Test(
            arguments: [
                ([:], 1),
                (["type": 1, "off": 0, "data": piece, "len": 10, "sha256": digest], 1),
                (["kid": 1, "off": 0, "data": piece, "len": 10, "sha256": digest], 1),
                (["kid": 1, "type": 1, "data": piece, "len": 10, "sha256": digest], 1),
                (["kid": 1, "type": 1, "off": 0, "len": 10, "sha256": digest], 1),
                (["kid": 1, "type": 1, "off": 0, "data": piece, "sha256": digest], 1),
                (["kid": 1, "type": 1, "off": 0, "data": piece, "len": 10], 1),
                (["kid": 1, "type": 1, "off": 0, "data": "text", "len": 10, "sha256": digest], 1),
                (["kid": 1, "type": 1, "off": 0, "data": piece, "len": 9, "sha256": digest], 5),
                (
                    [
                        "kid": 1, "type": 1, "off": 0, "data": .bytes([]), "len": 0,
                        "sha256": digest,
                    ], 5
                ),
                (["kid": 1, "type": 1, "off": 0, "data": piece, "len": 10, "sha256": piece], 5),
                (["kid": 2, "type": 1, "off": 0, "data": piece, "len": 10, "sha256": digest], 2),
                (["kid": 1, "type": 0, "off": 0, "data": piece, "len": 10, "sha256": digest], 10),
                (["kid": 1, "type": 4, "off": 0, "data": piece, "len": 10, "sha256": digest], 10),
                (
                    [
                        "kid": 1, "type": 1, "off": 0, "data": piece, "len": 0x7fff_ffff,
                        "sha256": digest,
                    ], 9
                ),
            ] as [(CBORValue, Int)])
        func refuses(_ request: CBORValue, code: Int) throws {
            let device = Device.blank()
            #expect(
                try device.call(.write, Device.Command.credential, request) == .groupError(code))
            #expect(try read(device, type: 1) == .groupError(2))
        }

        @Test func refusesAPieceBeyondTheEnd() throws {
            let device = Device.blank()
            let credential = pattern(500)
            _ = try device.write(credential, type: 1, offset: 0, count: 300)
            let beyond: CBORValue = [
                "kid": 1, "type": 1, "off": 300, "data": .bytes(pattern(201)),
            ]
            #expect(try device.call(.write, Device.Command.credential, beyond) == .groupError(5))
            #expect(
                try device.write(credential, type: 1, offset: 300, count: 200)
                    == .payload(["off": 500]))
        }

        @Test func takesTheLargestPiece() throws {
            let device = Device.blank()
            _ = try device.payload(.write, Device.Command.key, ["kid": 0x3fff_ffff])
            // Every number in its longest form.
            let credential = pattern(384)
            var body: [UInt8] = [0xa6, 0x63] + Array("kid".utf8) + [0x1a, 0x3f, 0xff, 0xff, 0xff]
            body += [0x64] + Array("type".utf8) + [0x1a, 0, 0, 0, 1]
            body += [0x63] + Array("off".utf8) + [0x1a, 0, 0, 0, 0]
            body += [0x63] + Array("len".utf8) + [0x1a, 0, 0, 1, 0x80]
            body += [0x66] + Array("sha256".utf8) + [0x58, 0x20] + sha256(credential)
            body += [0x64] + Array("data".utf8) + [0x59, 0x01, 0x80] + credential
            #expect(
                try device.call(.write, Device.Command.credential, encoded: body)
                    == .payload(["off": 384]))
            #expect(try device.credential(0x3fff_ffff, type: 1) == credential)
        }
    }
}
