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

        @Test(arguments: 0..<32) func theHostReadsWhatTheDeviceSays(seed: Int) throws {
            var chance = SplitMix(state: UInt64(seed))
            let board = try randomBoard(&chance)
            var relay = Relay(judge: try CBOR2(), seed: seed)
            let keyIDs = try describe(board, &relay, &chance)
            for keyID in keyIDs {
                try document(board, keyID, &relay, &chance)
            }
            try report(board, relay, &chance)
            try refusals(&relay, &chance)
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
            expected.insert(try importKey(&relay, &chance))
            try eraseKey(but: expected, &relay, &chance)
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

        /// A key that the host made: the device says so for as long as it has it.
        ///
        /// - Returns: its ID.
        private func importKey(_ relay: inout Relay, _ chance: inout SplitMix) throws -> UInt32 {
            // Below the order of P-256 and above 0, whatever follows.
            let scalar = [UInt8.random(in: 1...0xFE, using: &chance)] + chance.bytes(31...31)
            let key = try relay.perform(
                contract.makeKey(KeyRequest(keyID: 0x1234, importing: scalar)))
            #expect(key.keyID == 0x1234 && key.isImported && key.algorithm == -7)
            #expect(key == (try relay.perform(contract.describeKey(0x1234))))
            _ = try VerificationKey(p256: key.publicKey)
            return key.keyID
        }

        /// One that is made for it, and is gone then.
        private func eraseKey(
            but others: Set<UInt32>, _ relay: inout Relay, _ chance: inout SplitMix
        ) throws {
            let keyIDs: [UInt32] = [0x100, 0x2_0000, 0x3000_0000]
            let keyID = try #require(keyIDs.randomElement(using: &chance))
            #expect(!others.contains(keyID))
            _ = try relay.perform(contract.makeKey(KeyRequest(keyID: keyID)))
            try relay.perform(contract.eraseKey(keyID))
            for call in [contract.describeKey(keyID).request, contract.eraseKey(keyID).request] {
                #expect(throws: SMPError.group(8392, code: 2)) {
                    try relay.perform(SMPCall(call) { _ throws(SMPError) in })
                }
            }
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
                    algorithm: .es256, probedID: board.id))
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

        /// The group's own errors in version 2, and SMP's nearest in version 1.
        private func refusals(_ relay: inout Relay, _ chance: inout SplitMix) throws {
            let unsupported = SMPRequest(.read, group: 8392, command: 99)
            let calls: [(SMPRequest, SMPError, SMPError)] = [
                (contract.describeKey(.max).request, .group(8392, code: 2), .status(.noEntry)),
                (contract.eraseKey(0).request, .group(8392, code: 2), .status(.noEntry)),
                (
                    contract.makeKey(KeyRequest(keyID: 0)).request, .group(8392, code: 10),
                    .status(.notSupported)
                ),
                (
                    contract.makeKey(KeyRequest(keyID: 1)).request, .group(8392, code: 3),
                    .status(.badState)
                ),
                (
                    contract.makeKey(KeyRequest(importing: [1])).request, .group(8392, code: 5),
                    .status(.messageSize)
                ),
                (
                    contract.writeSecret(encrypted: chance.bytes(0...200), slot: chance.number())
                        .request,
                    .group(8392, code: 10), .status(.notSupported)
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
    }
}
