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

        /// A request, and the fields that the contract gives it.
        private typealias Case = (request: SMPRequest, fields: [String: CBORValue])

        /// One of each kind that the host makes.
        private func cases(_ chance: inout SplitMix) throws -> [Case] {
            let contract = DeviceContract()
            let kid = chance.number()
            let fields: [String: CBORValue] = ["kid": .unsigned(UInt64(kid))]
            let text = chance.text(0...400)
            let secret = chance.bytes(0...300)
            let slot = chance.number()
            let secretRequest = contract.writeSecret(encrypted: secret, slot: slot).request
            // A field that the device passes over, as it has no slots: cbor2 and this read it.
            #expect(secretRequest.payload["slot"] == .unsigned(UInt64(slot)))
            return try keyRequest(&chance) + uploads(kid, &chance) + reads(kid, &chance) + [
                (contract.describeDevice().request, [:]),
                (contract.describeKey(kid).request, fields),
                (contract.eraseKey(kid).request, fields),
                (contract.lock().request, [:]),
                (secretRequest, ["data": .bytes(secret)]),
                (OSGroup.echo(text).request, ["d": .text(text)]),
                (OSGroup.parameters().request, [:]), (OSGroup.reset().request, [:]),
            ]
        }

        private func keyRequest(_ chance: inout SplitMix) -> [Case] {
            let keyID = Bool.random(using: &chance) ? chance.number() : nil
            let algorithm: Int64? = [nil, -7, -8, 5, -65536].randomElement(using: &chance)!
            let value = Bool.random(using: &chance) ? chance.bytes(0...64) : nil
            let replaces = Bool.random(using: &chance)
            let request = KeyRequest(
                keyID: keyID, algorithm: algorithm, importing: value, replaces: replaces)
            var fields: [String: CBORValue] = [:]
            fields["kid"] = keyID.map { .unsigned(UInt64($0)) }
            fields["alg"] = algorithm.map { .int($0) }
            fields["value"] = value.map { .bytes($0) }
            fields["replace"] = replaces ? true : nil
            return [(DeviceContract().makeKey(request).request, fields)]
        }

        /// The first part of a credential, and one from wherever the device wants it.
        private func uploads(_ kid: UInt32, _ chance: inout SplitMix) throws -> [Case] {
            let data = chance.bytes(2...600)
            let digest = chance.bytes(32...32)
            let type = UInt64(chance.number())
            let chunk = Int.random(in: 16...384, using: &chance)
            let offset = Int.random(in: 1..<data.count, using: &chance)
            func fields(at offset: Int) -> [String: CBORValue] {
                [
                    "kid": .unsigned(UInt64(kid)), "type": .unsigned(type), "off": .int(offset),
                    "data": .bytes(Array(data.dropFirst(offset).prefix(chunk))),
                ]
            }
            var upload = try DeviceContract().writeCredential(
                data, digest: digest, keyID: kid, type: type, chunkLength: chunk)
            let first = upload.next()
            try upload.accept(expectedOffset: offset)
            let later = upload.next()
            let opening: [String: CBORValue] = [
                "len": .int(data.count), "sha256": .bytes(digest),
            ]
            return [
                (try #require(first).request, fields(at: 0).merging(opening) { $1 }),
                (try #require(later).request, fields(at: offset)),
            ]
        }

        /// The first and the second part of evidence, CSR and credential.
        private func reads(_ kid: UInt32, _ chance: inout SplitMix) throws -> [Case] {
            let contract = DeviceContract()
            let nonce = chance.bytes(8...64)
            let type = UInt64(chance.number())
            let reads: [(ChunkedRead, [String: CBORValue], opening: [String: CBORValue])] = [
                (
                    contract.readEvidence(keyID: kid, nonce: nonce), [:],
                    ["nonce": .bytes(nonce)]
                ),
                (contract.readCSR(keyID: kid), [:], [:]),
                (
                    contract.readCredential(keyID: kid, type: type), ["type": .unsigned(type)],
                    [:]
                ),
            ]
            return try reads.flatMap { read, own, opening -> [Case] in
                var read = read
                let fields = own.merging(["kid": .unsigned(UInt64(kid))]) { $1 }
                let part = chance.bytes(1...384)
                let first = try #require(read.next())
                try read.accept(
                    first.answer([
                        "off": 0, "len": 1000, "data": .bytes(part),
                        "sha256": .bytes(chance.bytes(32...32)),
                    ]))
                let second = try #require(read.next())
                return [
                    (first.request, fields.merging(opening) { $1 }.merging(["off": 0]) { $1 }),
                    (second.request, fields.merging(["off": .int(part.count)]) { $1 }),
                ]
            }
        }

        @Test func theDeviceReadsWhatTheHostWrites() throws {
            let judge = try CBOR2()
            for seed in 0..<150 {
                var chance = SplitMix(state: UInt64(seed))
                for (request, fields) in try cases(&chance) {
                    var payload = request.payload
                    let encoding = CBORValue.map(payload).encoded()
                    #expect(read(encoding) == fields, "seed \(seed), \(request)")
                    #expect(try judge.deterministic(encoding) == encoding, "seed \(seed)")
                    for _ in 0..<Int.random(in: 0...4, using: &chance) {
                        payload[chance.unknownKey()] = chance.anyValue(depth: 3)
                    }
                    let variant = CBORValue.map(payload).variant(using: &chance)
                    #expect(read(variant) == fields, "seed \(seed), \(request)")
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
                for (request, _) in try cases(&chance) {
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
