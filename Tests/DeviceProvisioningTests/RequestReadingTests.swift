import CBOR
import CBORJudge
import DeviceTestHAL
import SMP
import Testing

extension DeviceTests {
    /// Every request that the host makes, with random values, read by the device and by cbor2.
    @Suite struct RequestReadingTests {
        /// In the order of the device's fields.
        static let fields = [
            "alg", "d", "data", "kid", "len", "nonce", "off", "replace", "sha256", "type", "value",
        ]

        /// What the device reads; nil: it refuses the request.
        private func read(_ body: [UInt8]) -> [String: CBORValue]? {
            var body = body
            var items = [test_item](repeating: test_item(), count: Self.fields.count)
            return body.withUnsafeMutableBufferPointer { buffer in
                guard test_read_request(buffer.baseAddress, buffer.count, &items) else {
                    return nil
                }
                let values = zip(Self.fields, items).compactMap { field, item in
                    value(item).map { (field, $0) }
                }
                return Dictionary(uniqueKeysWithValues: values)
            }
        }

        private func value(_ item: test_item) -> CBORValue? {
            var content: [UInt8] {
                Array(UnsafeBufferPointer(start: item.bytes, count: Int(item.number)))
            }
            return switch item.kind {
            case TEST_ABSENT: nil
            case TEST_UNSIGNED: .unsigned(UInt64(item.number))
            case TEST_NEGATIVE: .negative(UInt64(item.number))
            case TEST_BYTES: .bytes(content)
            case TEST_TEXT: .text(String(decoding: content, as: UTF8.self))
            case TEST_BOOL: .simple(item.number == 0 ? 20 : 21)
            default: .undefined
            }
        }

        /// One of each kind that the host has, 16 of them.
        private func requests(_ chance: inout SplitMix) throws -> [SMPRequest] {
            let contract = DeviceContract()
            let kid = chance.number()
            let data = chance.bytes(1...600)
            let key = KeyRequest(
                keyID: Bool.random(using: &chance) ? chance.number() : nil,
                algorithm: [nil, -7, -8, 5, -65536].randomElement(using: &chance)!,
                importing: Bool.random(using: &chance) ? chance.bytes(0...64) : nil,
                replaces: Bool.random(using: &chance))
            var upload = try contract.writeCredential(
                data, digest: chance.bytes(32...32), keyID: kid, type: UInt64(chance.number()),
                chunkLength: Int.random(in: 16...384, using: &chance))
            let opening = upload.next()
            try upload.accept(expectedOffset: Int.random(in: 0..<data.count, using: &chance) / 2)
            let later = upload.next()
            var reads = [
                contract.readEvidence(keyID: kid, nonce: chance.bytes(8...64)),
                contract.readCSR(keyID: kid),
                contract.readCredential(keyID: kid, type: UInt64(chance.number())),
            ]
            var parts: [SMPRequest] = []
            for index in reads.indices {
                let call = try #require(reads[index].next())
                let part = chance.bytes(1...384)
                try reads[index].accept(
                    call.answer([
                        "off": 0, "len": 1000, "data": .bytes(part),
                        "sha256": .bytes(chance.bytes(32...32)),
                    ]))
                parts += [call.request, try #require(reads[index].next()).request]
            }
            return parts + [
                contract.describeDevice().request, contract.describeKey(kid).request,
                contract.makeKey(key).request, contract.eraseKey(kid).request,
                try #require(opening).request, try #require(later).request,
                contract.lock().request,
                contract.writeSecret(encrypted: chance.bytes(0...300), slot: chance.number())
                    .request,
                OSGroup.echo(chance.text(0...400)).request, OSGroup.parameters().request,
            ]
        }

        @Test func theDeviceReadsWhatTheHostWrites() throws {
            let judge = try CBOR2()
            for seed in 0..<150 {
                var chance = SplitMix(state: UInt64(seed))
                let requests = try requests(&chance)
                #expect(requests.count == 16)
                for request in requests {
                    var payload = request.payload
                    let known = Dictionary(
                        uniqueKeysWithValues: payload.pairs.compactMap { pair in
                            pair.key.text.map { ($0, pair.value) }
                        }
                    ).filter { Self.fields.contains($0.key) }
                    let encoding = CBORValue.map(payload).encoded()
                    #expect(read(encoding) == known, "seed \(seed), \(request)")
                    #expect(try judge.deterministic(encoding) == encoding, "seed \(seed)")
                    for _ in 0..<Int.random(in: 0...4, using: &chance) {
                        payload[chance.unknownKey()] = chance.anyValue(depth: 3)
                    }
                    let variant = CBORValue.map(payload).variant(using: &chance)
                    #expect(read(variant) == known, "seed \(seed), \(request)")
                    #expect(
                        try judge.deterministic(variant) == CBORValue.map(payload).encoded(),
                        "seed \(seed)")
                }
            }
        }

        /// Damaged requests: the device takes what the host would take, and nothing else.
        @Test func bothTakeTheSame() throws {
            var taken = 0, refused = 0
            var differing: [String] = []
            for seed in 0..<150 {
                var chance = SplitMix(state: UInt64(seed) &+ 1000)
                for request in try requests(&chance) {
                    var payload = request.payload
                    payload[chance.unknownKey()] = chance.anyValue(depth: 3)
                    let good = CBORValue.map(payload).variant(using: &chance)
                    for _ in 0..<8 {
                        let body = damaged(good, &chance)
                        guard let isTakenByHost = doesHostTake(body) else { continue }
                        let isTaken = read(body) != nil
                        if isTaken { taken += 1 } else { refused += 1 }
                        if isTaken != isTakenByHost {
                            differing.append("seed \(seed): \(body)")
                        }
                    }
                }
            }
            #expect(differing.prefix(3) == [], "\(differing.count)")
            #expect(taken > 3000 && refused > 3000, "\(taken) taken, \(refused) refused")
        }

        /// Nil where it stops at a key that stands twice: the contract lets the device pass over
        /// what it does not know, and then it depends on what follows.
        private func doesHostTake(_ body: [UInt8]) -> Bool? {
            do throws(CBORError) {
                return try CBORValue.decode(body, limits: CBORLimits(depth: 7)).map != nil
            } catch {
                return error.code == .duplicateKey ? nil : false
            }
        }

        private func damaged(_ good: [UInt8], _ chance: inout SplitMix) -> [UInt8] {
            var bytes = good
            switch Int.random(in: 0..<4, using: &chance) {
            case 0:
                bytes.removeLast(Int.random(in: 1...bytes.count, using: &chance))
            case 1:
                bytes.insert(
                    UInt8(truncatingIfNeeded: chance.next()),
                    at: Int.random(in: bytes.indices, using: &chance))
            case 2:
                bytes.remove(at: Int.random(in: bytes.indices, using: &chance))
            default:
                bytes[Int.random(in: bytes.indices, using: &chance)] ^=
                    1 << UInt8.random(in: 0..<8, using: &chance)
            }
            return bytes
        }
    }
}
