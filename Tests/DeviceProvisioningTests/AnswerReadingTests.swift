import Attestation
import CBOR
import CBORJudge
import COSE
import DeviceProvisioning
import DeviceTestHAL
import OpenSSL
import SMP
import Testing

extension DeviceTests {
    /// Everything that the device says, on boards of random identity and history, read by the
    /// host's own reader through a relay that says it in other words, and by cbor2.
    @Suite struct AnswerReadingTests {
        struct Board {
            let id: DeviceID
            let name: String
            let firmware: String
            var identity: DeviceIdentity { DeviceIdentity(board: name, id: id) }
        }

        static let keyIDs: ClosedRange<UInt32> = 1...0x3FFF_FFFF  // PSA_KEY_ID_USER_MIN to MAX

        let contract = DeviceContract()

        private func randomBoard(_ chance: inout SplitMix) throws -> Board {
            let board = Board(
                id: try #require(DeviceID(chance.bytes(1...64))), name: chance.text(1...32),
                firmware: chance.text(0...32))
            test_board_reset()
            test_board_set_id(board.id.bytes, board.id.bytes.count)
            test_board_set_name(board.name)
            test_board_set_firmware(board.firmware)
            #expect(dp_start())
            return board
        }

        @Test(arguments: 0..<12) func theHostReadsWhatTheDeviceSays(seed: Int) throws {
            var chance = SplitMix(state: UInt64(seed))
            let board = try randomBoard(&chance)
            var relay = Relay(judge: try CBOR2(), seed: seed)
            let keyIDs = try describe(board, &relay, &chance)
            for keyID in keyIDs {
                try document(board, keyID, &relay, &chance)
            }
            try report(board, relay, &chance)
            try refusals(&relay)
            try osGroup(&relay, &chance)
            #expect(relay.messageCount > 45)
            #expect(test_flash_breaches() == 0)
        }

        /// The description and the keys; the key IDs that there are then.
        private func describe(
            _ board: Board, _ relay: inout Relay, _ chance: inout SplitMix
        ) throws -> [UInt32] {
            var expected: Set<UInt32> = [1]
            for _ in 0..<Int.random(in: 0...2, using: &chance) {
                let keyID: UInt32? =
                    Bool.random(using: &chance)
                    ? nil
                    : [2, 23, 24, 0xFFFF, 0x10000, Self.keyIDs.upperBound].randomElement(
                        using: &chance)!
                let request = KeyRequest(
                    keyID: keyID, algorithm: [nil, -7].randomElement(using: &chance)!,
                    replaces: true)
                let key = try relay.perform(contract.makeKey(request))
                #expect(key.keyID == keyID || keyID == nil && !expected.contains(key.keyID))
                #expect(key == (try relay.perform(contract.describeKey(key.keyID))))
                #expect(!key.isImported && key.algorithm == -7)
                _ = try VerificationKey(p256: key.publicKey)
                expected.insert(key.keyID)
            }
            let device = try relay.perform(contract.describeDevice())
            #expect(device.id == board.id.bytes)
            #expect(device.board == board.name)
            #expect(device.firmware == board.firmware)
            #expect(device.algorithms == [-7])
            #expect(Set(device.keyIDs) == expected)
            #expect(device.chunkLength == Device.chunkLength)
            #expect(!device.isLocked)
            return device.keyIDs
        }

        /// CSR, credentials and evidence of one key.
        private func document(
            _ board: Board, _ keyID: UInt32, _ relay: inout Relay, _ chance: inout SplitMix
        ) throws {
            let publicKey = try relay.perform(contract.describeKey(keyID)).publicKey
            let request = try relay.perform(contract.readCSR(keyID: keyID)).data
            _ = try Verifier.appraise(
                request: request,
                against: RequestExpectation(
                    identity: board.identity, publicKey: publicKey, probedID: board.id))

            var stored: [UInt64: [UInt8]] = [:]
            for type: UInt64 in 1...3 where Bool.random(using: &chance) {
                let credential = try credential(type, for: publicKey, relay.judge, &chance)
                try relay.perform(
                    contract.writeCredential(
                        credential, digest: sha256(credential), keyID: keyID, type: type,
                        chunkLength: Int.random(in: 100...Device.chunkLength, using: &chance)))
                let read = try relay.perform(contract.readCredential(keyID: keyID, type: type))
                #expect(read.data == credential)
                #expect(read.digest == sha256(credential))
                stored[type] = sha256(credential)
            }

            let nonce = chance.bytes(8...64)
            let bytes = try relay.perform(contract.readEvidence(keyID: keyID, nonce: nonce)).data
            let evidence = try Evidence(bytes)
            let result = try Verifier.appraise(
                evidence,
                against: Expectation(
                    nonce: nonce, identity: board.identity, publicKey: publicKey,
                    probedID: board.id))
            #expect(result.storedCredentials == stored)
            #expect(evidence.algorithm == .es256)
            try checkDeterministic(bytes, relay.judge)
        }

        private func checkDeterministic(_ evidence: [UInt8], _ judge: CBOR2) throws {
            #expect(try judge.deterministic(evidence) == evidence)
            let payload = try COSESign1.decode(evidence).payload
            #expect(try judge.deterministicPayload(of: evidence) == payload)
        }

        /// A token as an authority signs it, or an array of certificates' size and shape.
        private func credential(
            _ type: UInt64, for publicKey: [UInt8], _ judge: CBOR2, _ chance: inout SplitMix
        ) throws -> [UInt8] {
            let credential: [UInt8]
            if type == 2 {
                let claims = CWTClaims(
                    issuer: chance.text(0...40), subject: chance.text(0...40),
                    issuedAt: NumericDate(seconds: Int64(chance.number())),
                    tokenID: chance.bytes(0...20),
                    confirmation: .key(try #require(COSEKey(p256: publicKey))),
                    other: [-65538: chance.anyValue(depth: 2)])
                credential = try CWT.sign(claims, using: SigningKey.generate()).encoded()
                #expect(try CWT.decode(credential).unverifiedClaims == claims)
                #expect(try judge.deterministicPayload(of: credential) == claims.cbor.encoded())
            } else {
                let count = Int.random(in: 0...3, using: &chance)
                credential =
                    CBORValue.array((0..<count).map { _ in .bytes(chance.bytes(0...500)) })
                    .encoded()
            }
            #expect(try judge.deterministic(credential) == credential)
            return credential
        }

        /// The report line, somewhere in a log.
        private func report(_ board: Board, _ relay: Relay, _ chance: inout SplitMix) throws {
            #expect(dp_report())
            var length = 0
            let output = test_output_take(&length)
            let line = Array(UnsafeBufferPointer(start: output, count: length))
            #expect(line.last == 0x0A)
            let prefix = Array(["", "[00:01] ", "\u{1B}[32m"].randomElement(using: &chance)!.utf8)
            let suffix = Array(
                ["\n", "\r\n", "\u{1B}[0m\n", " |"].randomElement(using: &chance)!.utf8)
            let found = try ReportLine.evidence(in: prefix + line.dropLast() + suffix)
            let evidence = try #require(found)
            _ = try Verifier.appraise(
                report: evidence,
                against: ReportExpectation(board: board.name, probedID: board.id))
            #expect(evidence.nonce.count == 32)
            try checkDeterministic(evidence.bytes, relay.judge)
        }

        /// The group's own errors in version 2, and what is left of them in version 1.
        private func refusals(_ relay: inout Relay) throws {
            let unsupported = SMPRequest(.read, group: 8392, command: 99)
            let calls: [(SMPRequest, SMPError, SMPError)] = [
                (contract.describeKey(.max).request, .group(8392, code: 2), .status(.unknown)),
                (contract.eraseKey(0).request, .group(8392, code: 2), .status(.unknown)),
                (
                    contract.makeKey(KeyRequest(keyID: 0)).request, .group(8392, code: 10),
                    .status(.unknown)
                ),
                (
                    contract.makeKey(KeyRequest(keyID: 1)).request, .group(8392, code: 3),
                    .status(.unknown)
                ),
                (
                    contract.makeKey(KeyRequest(importing: [1])).request, .group(8392, code: 5),
                    .status(.unknown)
                ),
                (
                    contract.writeSecret(encrypted: [1], slot: 1).request,
                    .group(8392, code: 10), .status(.unknown)
                ),
                (unsupported, .status(.notSupported), .status(.notSupported)),
            ]
            for (request, second, first) in calls {
                let call = SMPCall(request) { _ throws(SMPError) in }
                #expect(throws: second) { try relay.perform(call) }
                #expect(throws: first) { try relay.perform(call, version: .v1) }
            }
        }

        private func osGroup(_ relay: inout Relay, _ chance: inout SplitMix) throws {
            for version in [SMPVersion.v1, .v2] {
                let text = chance.text(0...400)
                #expect(try relay.perform(OSGroup.echo(text), version: version) == text)
                #expect(
                    try relay.perform(OSGroup.parameters(), version: version)
                        == OSGroup.Parameters(bufferSize: 512, bufferCount: 1))
            }
            try relay.perform(OSGroup.reset())
            #expect(test_resets() == 1)
            try relay.perform(contract.lock())
            #expect(try relay.perform(contract.describeDevice()).isLocked)
        }

        /// What a board says of itself beyond the library's limits is cut between characters.
        @Test func longNamesAreCutBetweenCharacters() throws {
            for padding in 0..<5 {
                test_board_reset()
                let name =
                    String(repeating: "b", count: padding) + String(repeating: "水", count: 15)
                test_board_set_name(name)
                test_board_set_firmware(String(repeating: "𐅑", count: 9) + name.prefix(padding))
                #expect(dp_start())
                var relay = Relay(judge: try CBOR2(), seed: padding)
                let device = try relay.perform(contract.describeDevice())
                #expect(name.hasPrefix(device.board))
                #expect((30...32).contains(device.board.utf8.count), "\(device.board)")
                #expect(device.firmware == String(repeating: "𐅑", count: 8))
            }
        }

        /// The device's writer: any values, read by both.
        @Test func bothReadWhatTheDeviceWrites() throws {
            let judge = try CBOR2()
            for seed in 0..<300 {
                var chance = SplitMix(state: UInt64(seed))
                let value = writable(depth: 3, &chance)
                let written = try write(value)
                #expect(try CBORValue.decode(written, form: .deterministic) == value, "\(seed)")
                #expect(try judge.deterministic(written) == written, "seed \(seed)")
                // A buffer that is too short by any count of octets.
                let capacity = Int.random(in: 0..<written.count, using: &chance)
                #expect(try write(value, capacity: capacity).isEmpty, "seed \(seed)")
            }
        }

        /// Values that the device's writer has a word for, with keys in the order of §4.2.1.
        private func writable(depth: Int, _ chance: inout SplitMix) -> CBORValue {
            switch Int.random(in: depth < 3 ? 0..<(depth > 0 ? 8 : 5) : 5..<8, using: &chance) {
            case 0: return .unsigned(UInt64(chance.number()))
            case 1: return .negative(UInt64(chance.number() >> 1))
            case 2: return .bytes(chance.bytes(0...300))
            case 3: return .text(chance.text(0...300))
            case 4: return .simple(Bool.random(using: &chance) ? 20 : 21)
            case 5: return .tagged(UInt64(chance.number()), writable(depth: depth - 1, &chance))
            case 6:
                let count = [0, 1, 3, depth > 1 ? 3 : 24].randomElement(using: &chance)!
                return .array((0..<count).map { _ in writable(depth: depth - 1, &chance) })
            default:
                var map = CBORMap()
                for _ in 0..<Int.random(in: 0...5, using: &chance) {
                    map[.unsigned(UInt64(chance.number()))] = writable(depth: depth - 1, &chance)
                    map[.text(chance.text(0...30))] = writable(depth: depth - 1, &chance)
                }
                map.pairs.sort {
                    $0.key.encoded().lexicographicallyPrecedes($1.key.encoded())
                }
                return .map(map)
            }
        }

        private func write(_ value: CBORValue, capacity: Int = 1 << 20) throws -> [UInt8] {
            var items: [test_item] = []
            var contents: [UnsafeMutablePointer<UInt8>] = []
            defer { for content in contents { content.deallocate() } }
            func add(_ kind: test_kind, _ number: Int, _ content: [UInt8]? = nil) {
                let copy = content.map { bytes in
                    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
                    copy.initialize(from: bytes, count: bytes.count)
                    contents.append(copy)
                    return copy
                }
                items.append(test_item(kind: kind, number: UInt32(number), bytes: copy))
            }
            func add(_ value: CBORValue) throws {
                switch value {
                case .unsigned(let number): add(TEST_UNSIGNED, Int(number))
                case .negative(let number): add(TEST_NEGATIVE, Int(number))
                case .bytes(let bytes): add(TEST_BYTES, bytes.count, bytes)
                case .text(let text): add(TEST_TEXT, text.utf8.count, Array(text.utf8))
                case .simple(let number): add(TEST_BOOL, Int(number) - 20)
                case .tagged(let number, let content):
                    add(TEST_TAG, Int(number))
                    try add(content)
                case .array(let elements):
                    add(TEST_ARRAY, elements.count)
                    for element in elements { try add(element) }
                case .map(let map):
                    add(TEST_MAP, map.pairs.count)
                    for pair in map.pairs {
                        try add(pair.key)
                        try add(pair.value)
                    }
                case .float: Issue.record("the device writes no floats")
                }
            }
            try add(value)
            var output = [UInt8](repeating: 0, count: capacity)
            let length = test_write(items, items.count, &output, capacity)
            return Array(output.prefix(length))
        }
    }
}
