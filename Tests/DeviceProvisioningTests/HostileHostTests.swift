import CBOR
import DeviceProvisioning
import DeviceTestHAL
import Testing

extension DeviceTests {
    /// Whatever arrives, the device answers the next request.
    @Suite struct HostileHostTests {
        private func isAlive(_ device: Device) throws -> Bool {
            _ = device.send([0x0a])
            return try device.call(.write, 0, ["d": "alive"], group: .os)
                == .payload(["r": "alive"])
        }

        @Test func survivesNoise() throws {
            let device = Device.blank()
            var random = SplitMix(state: 1)
            let alphabet = Array("\u{6}\u{9}\u{4}\u{14}\n\rAQgw+/=".utf8)
            for round in 0..<400 {
                let noise = (0..<1000).map { _ -> UInt8 in
                    let value = random.next()
                    return round.isMultiple(of: 2)
                        ? UInt8(truncatingIfNeeded: value)
                        : alphabet[Int(value % UInt64(alphabet.count))]
                }
                _ = device.send(noise)
                #expect(try isAlive(device), "round \(round)")
            }
        }

        @Test func survivesGoodFramesOfNoise() throws {
            let device = Device.blank()
            var random = SplitMix(state: 2)
            for round in 0..<3000 {
                let body = (0..<Int(random.next() % 60)).map { _ in
                    UInt8(truncatingIfNeeded: random.next())
                }
                let command = UInt8(random.next() % 9)
                let operation: Device.Operation = random.next().isMultiple(of: 2) ? .read : .write
                if case .payload = try device.call(operation, command, encoded: [0xbf] + body) {
                    // Noise may hit an empty map; then it is a request like any other.
                }
                if round.isMultiple(of: 100) { #expect(try isAlive(device)) }
            }
            #expect(try isAlive(device))
        }

        @Test func survivesMutatedRequests() throws {
            let device = Device.blank()
            var random = SplitMix(state: 4)
            let requests: [(Device.Operation, UInt8, CBORValue)] = [
                (.write, 1, ["kid": 3, "alg": -7, "value": .bytes(pattern(32)), "replace": true]),
                (.write, 2, ["kid": 3]),
                (.read, 3, ["kid": 1, "nonce": .bytes(pattern(32)), "off": 0]),
                (.read, 4, ["kid": 1, "off": 0]),
                (
                    .write, 5,
                    [
                        "kid": 1, "type": 1, "off": 0, "len": 100,
                        "data": .bytes(pattern(60)), "sha256": .bytes(sha256(pattern(100))),
                    ]
                ),
                (.write, 5, ["kid": 1, "type": 1, "off": 60, "data": .bytes(pattern(40))]),
                (.read, 5, ["kid": 1, "type": 1, "off": 0]),
            ]
            for _ in 0..<3000 {
                let (operation, command, payload) = requests[Int(random.next() % 7)]
                var body = payload.encoded()
                for _ in 0..<Int(random.next() % 4) {
                    body[Int(random.next() % UInt64(body.count))] ^=
                        1 << UInt8(random.next() % 8)
                }
                if random.next().isMultiple(of: 8) {
                    body.removeLast(Int(random.next() % UInt64(body.count)))
                }
                let answer = try device.call(operation, command, encoded: body)
                #expect(answer != .silence)
            }
            #expect(try isAlive(device))
            #expect(test_flash_breaches() == 0)
        }
    }
}
