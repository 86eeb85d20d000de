import CBOR
import DeviceProvisioning
import DeviceTestHAL
import Foundation
import OpenSSL
import Testing

extension DeviceTests {
    @Suite struct EvidenceTests {
        /// The claims, once the signature holds.
        func claims(_ evidence: [UInt8], signedBy point: [UInt8]) throws -> CBORMap {
            let message = try CBORValue.decode(evidence, form: .deterministic)
            guard case .tagged(18, .array(let parts)) = message, parts.count == 4 else {
                Issue.record("no tagged COSE_Sign1")
                return [:]
            }
            #expect(parts[0] == .bytes((([1: -7] as CBORValue).encoded())))
            #expect(parts[1] == [:])
            let payload = try #require(parts[2].bytes)
            let signed: CBORValue = ["Signature1", parts[0], .bytes([]), parts[2]]
            let key = try VerificationKey(p256: point)
            #expect(key.isValid(signature: try #require(parts[3].bytes), for: signed.encoded()))
            return try #require(try CBORValue.decode(payload, form: .deterministic).map)
        }

        func expectedClaims(
            id: [UInt8], board: String, nonce: [UInt8], point: [UInt8], stored: CBORMap
        ) -> CBORMap {
            let ueid = [0x01] + sha256(Array(board.utf8) + [0] + id).prefix(16)
            let key: CBORValue = [
                1: 2, -1: 1, -2: .bytes(Array(point[1..<33])), -3: .bytes(Array(point[33...])),
            ]
            return [
                8: [1: key], 10: .bytes(nonce), 256: .bytes(ueid),
                265: "tag:provision,2026:evidence#1", 275: 3, -65537: .bytes(id),
                -65538: .text(board), -65539: .map(stored),
            ]
        }

        @Test(arguments: [8, 23, 24, 32, 64]) func saysWhatTheContractSays(nonceLength: Int) throws
        {
            let device = Device.blank()
            let nonce = pattern(nonceLength)
            let point = try #require(try device.publicKey(1))
            let evidence = try device.evidence(nonce: nonce)
            #expect(
                try claims(evidence, signedBy: point)
                    == expectedClaims(
                        id: Array(0...7), board: "test-board", nonce: nonce, point: point,
                        stored: [:]))
        }

        @Test func namesTheStoredCredentials() throws {
            let device = Device.blank()
            _ = try device.install(pattern(700), type: 1)
            _ = try device.install(pattern(70), type: 2)
            // Another key's credentials are not this key's.
            _ = try device.payload(.write, Device.Command.key, ["kid": 9])
            _ = try device.install(pattern(30), 9, type: 3)
            let point = try #require(try device.publicKey(1))
            let claims = try claims(device.evidence(nonce: pattern(16)), signedBy: point)
            let stored: CBORValue = [
                1: .bytes(sha256(pattern(700))), 2: .bytes(sha256(pattern(70))),
            ]
            #expect(claims[-65539] == stored)
        }

        @Test func fitsAtItsLongest() throws {
            let device = Device.blank()
            let id = pattern(64), board = String(repeating: "b", count: 32)
            test_board_set_id(id, id.count)
            test_board_set_name(board)
            var stored: CBORMap = [:]
            for type in 1...3 {
                _ = try device.install(pattern(40, seed: type), type: type)
                stored[.int(type)] = .bytes(sha256(pattern(40, seed: type)))
            }
            let point = try #require(try device.publicKey(1))
            let evidence = try device.evidence(nonce: pattern(64))
            #expect(evidence.count <= 512)
            #expect(
                try claims(evidence, signedBy: point)
                    == expectedClaims(
                        id: id, board: board, nonce: pattern(64), point: point, stored: stored))
        }

        @Test func isMadeAnewForEachNonce() throws {
            let device = Device.blank()
            let first = try device.evidence(nonce: pattern(8))
            #expect(try device.evidence(nonce: pattern(8, seed: 1)) != first)
        }

        /// Whoever asks again did not get the answer: the device neither signs again nor insists on long
        /// answers.
        @Test func isTheSameWhenItIsAskedForAgain() throws {
            let device = Device.blank()
            let request: CBORValue = ["kid": 1, "off": 0, "nonce": .bytes(pattern(32))]
            var parts: [[UInt8]] = []
            for _ in 0..<5 {
                let answer = try device.payload(.read, Device.Command.evidence, request)
                parts.append(try #require(answer["data"]?.bytes))
            }
            let whole = parts[0]
            #expect(parts.map(\.count) == [whole.count, 192, 96, 96, 96])
            #expect(parts.allSatisfy { whole.starts(with: $0) })
            // In the short parts, too, it is all there.
            #expect(try device.evidence(nonce: pattern(32)) == whole)
            // Another nonce makes another evidence, at full length.
            let other = try device.evidence(nonce: pattern(32, seed: 1))
            #expect(other.count == whole.count && other != whole)
            let again: CBORValue = ["kid": 1, "off": 0, "nonce": .bytes(pattern(32, seed: 2))]
            let part = try device.payload(.read, Device.Command.evidence, again)
            #expect(part["data"]?.bytes?.count == whole.count)
        }

        /// What it says of the stored credentials must be so at the moment of the answer.
        @Test func isMadeAnewWhenTheStoreHasChanged() throws {
            let device = Device.blank()
            let point = try #require(try device.publicKey(1))
            let nonce = pattern(32)
            let before = try claims(device.evidence(nonce: nonce), signedBy: point)
            #expect(before[-65539] == [:])
            _ = try device.install(pattern(70), type: 2)
            let after = try claims(device.evidence(nonce: nonce), signedBy: point)
            #expect(after[-65539] == [2: .bytes(sha256(pattern(70)))])
        }

        @Test func isKeptForTheFollowingReads() throws {
            let device = Device.blank()
            let evidence = try device.evidence(nonce: pattern(8))
            for offset in [1, 100, evidence.count - 1, evidence.count] {
                let part = try device.payload(
                    .read, Device.Command.evidence, ["kid": 1, "off": .int(offset)])
                #expect(part["data"] == .bytes(Array(evidence.dropFirst(offset).prefix(384))))
                #expect(part["len"] == .int(evidence.count))
            }
            let beyond: CBORValue = ["kid": 1, "off": .int(evidence.count + 1)]
            #expect(try device.call(.read, Device.Command.evidence, beyond) == .groupError(5))
            // Neither another key's evidence, nor a CSR, nor evidence of a key that is gone.
            let follow: CBORValue = ["kid": 1, "off": 1]
            let other: CBORValue = ["kid": 2, "off": 1]
            #expect(try device.call(.read, Device.Command.evidence, other) == .groupError(5))
            #expect(try device.call(.read, Device.Command.csr, follow) == .groupError(5))
            _ = try device.payload(.write, Device.Command.key, ["kid": 1, "replace": true])
            #expect(try device.call(.read, Device.Command.evidence, follow) == .groupError(5))
        }

        @Test(
            arguments: [
                ([:], 1), (["kid": 1, "off": 0], 1), (["kid": 1, "nonce": .bytes(pattern(8))], 1),
                (["off": 0, "nonce": .bytes(pattern(8))], 1),
                (["kid": 1, "off": 0, "nonce": "12345678"], 1),
                (["kid": 1, "off": 0, "nonce": .bytes(pattern(7))], 5),
                (["kid": 1, "off": 0, "nonce": .bytes(pattern(65))], 5),
                (["kid": 2, "off": 0, "nonce": .bytes(pattern(8))], 2),
                (["kid": 1, "off": 1], 5),
            ] as [(CBORValue, Int)])
        func refuses(_ request: CBORValue, code: Int) throws {
            let device = Device.blank()
            #expect(try device.call(.read, Device.Command.evidence, request) == .groupError(code))
        }

        @Test func reportsInOneLogLine() throws {
            let device = Device.blank()
            let point = try #require(try device.publicKey(1))
            var nonces: [[UInt8]] = []
            for repetition in 0..<3 {
                if repetition == 2 { #expect(device.restart()) }
                #expect(dp_report())
                let line = String(decoding: device.send([]), as: UTF8.self)
                #expect(line.hasPrefix("PROVISION-EVIDENCE-1 ") && line.hasSuffix("\n"))
                let text = line.dropFirst(21).dropLast()
                #expect(
                    text.allSatisfy {
                        $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0))
                    })
                let base64 = text.replacingOccurrences(of: "-", with: "+")
                    .replacingOccurrences(of: "_", with: "/")
                let padded = base64 + String(repeating: "=", count: -base64.count & 3)
                let evidence = try #require(Data(base64Encoded: padded))
                let claims = try claims(Array(evidence), signedBy: point)
                nonces.append(try #require(claims[10]?.bytes))
            }
            #expect(nonces[0] == nonces[1], "one boot has one seed")
            #expect(nonces[1] != nonces[2], "each boot has its own")
            #expect(nonces.allSatisfy { $0.count == 32 })
        }

        @Test(arguments: [1, 8, 31, 32, 64]) func csrHoldsForOpenSSL(idLength: Int) throws {
            let device = Device.blank()
            let id = pattern(idLength, seed: 3)
            test_board_set_id(id, id.count)
            let point = try #require(try device.publicKey(1))
            // Enough signatures to meet scalars of every length.
            for _ in 0..<8 {
                let csr = try device.document(Device.Command.csr, ["kid": 1])
                let text = try openssl(
                    ["req", "-inform", "DER", "-verify", "-noout", "-subject", "-pubkey"], csr)
                #expect(text.contains("verify OK"))
                let name = id.map { String(format: "%02x", $0) }.joined()
                #expect(text.contains("subject=CN = \(name)\n"))
                let pem = text.split(separator: "\n").filter { !$0.contains(" ") }
                    .filter { !$0.hasPrefix("subject") }.joined()
                #expect(try #require(Data(base64Encoded: pem)).suffix(65) == Data(point))
            }
            #expect(
                try device.call(.read, Device.Command.csr, ["kid": 2, "off": 0]) == .groupError(2))
            #expect(try device.call(.read, Device.Command.csr, ["kid": 1]) == .groupError(1))
        }
    }
}

/// What `openssl` says, on both streams.
private func openssl(_ arguments: [String], _ input: [UInt8]) throws -> String {
    let process = Process(), stdin = Pipe(), output = Pipe()
    // Foundation would keep it for as long as the tests run.
    defer { try? output.fileHandleForReading.close() }
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.standardInput = stdin
    process.standardOutput = output
    process.standardError = output
    try process.run()
    stdin.fileHandleForWriting.write(Data(input))
    try stdin.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
}
