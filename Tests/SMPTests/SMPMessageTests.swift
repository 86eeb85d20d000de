import CBOR
import Testing

@testable import SMP

struct SMPMessageTests {
    /// The answers of a real server, as recorded, with what they say.
    @Test(arguments: RecordedVectors.zephyr.filter { !$0.response.isEmpty })
    func acceptsWhatZephyrAnswers(_ vector: RecordedVectors.Dialogue) throws {
        let answer = try SMPMessage(decoding: hex(vector.response))
        let request = try #require(SMPHeader(hex(vector.request)))
        #expect(answer.header.operation == request.operation.response)
        #expect(answer.header.version == request.version)
        #expect(answer.header.group == request.group)
        #expect(answer.header.sequence == request.sequence)
        #expect(answer.header.command == request.command)
    }

    @Test func indefiniteMapsAreRead() throws {
        let answer = try SMPMessage(
            decoding: hex("0900001900000006bf686275665f73697a65190180696275665f636f756e7404ff"))
        #expect(answer.payload == ["buf_size": 384, "buf_count": 4])
    }

    /// Requests only: no one has to sort an answer's keys.
    @Test(
        arguments: RecordedVectors.client.filter {
            !$0.name.hasPrefix("raw") && !$0.name.hasPrefix("rsp")
        })
    func encodesAsTheOthersDo(_ vector: RecordedVectors.Framed) throws {
        let message = try SMPMessage(decoding: hex(vector.message))
        #expect(message.encoded() == hex(vector.message))
    }

    @Test func headersRoundTrip() throws {
        for first in UInt8.min ... .max {
            let bytes = [first, 0, 1, 2, 3, 4, 5, 6]
            let isKnown = first >> 5 == 0 && first >> 3 & 3 < 2 && first & 7 < 4
            #expect((SMPHeader(bytes) != nil) == isKnown)
            if let header = SMPHeader(bytes) { #expect(header.encoded() == bytes) }
        }
        let header = try #require(SMPHeader([0x0B, 0, 0x01, 0x02, 0x20, 0xC8, 0xFF, 0x06, 0xA0]))
        #expect(
            header
                == SMPHeader(
                    version: .v2, operation: .writeResponse, length: 258, group: 8392,
                    sequence: 255, command: 6))
        #expect(SMPHeader([0x0B, 0, 0, 0, 0, 0, 0]) == nil)
    }

    @Test(arguments: [
        "", "0b00000100000700", "0b00000200000700a0", "0b00000000000700a0", "0b00000000000700",
        "0b0000010000070080", "0b000002000007 00a000", "2b00000100000700a0",
        "0b00000500000700a2616100616101", "0b00000600000700bf6172c2ffff",
    ])
    func refusesWhatIsNoMessage(_ bytes: String) {
        let error = #expect(throws: SMPError.self) { try SMPMessage(decoding: hex(bytes)) }
        guard case .malformed = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// A byte string of 4 GiB, an array of 2³², a map that does not end; arrays in arrays.
    @Test func whatIsAnnouncedIsBounded() {
        func error(_ payload: String) -> SMPError? {
            let body = hex(payload)
            let header = SMPHeader(
                operation: .readResponse, length: UInt16(body.count), group: 0, sequence: 0,
                command: 0)
            return #expect(throws: SMPError.self) {
                try SMPMessage(decoding: header.encoded() + body)
            }
        }
        for payload in ["a161645b0000000100000000ff", "a161649b0000000100000000", "bf"] {
            guard case .oversized? = error(payload) else {
                Issue.record("\(payload) was not found to be too much")
                continue
            }
        }
        guard case .tooDeep? = error("a16164" + String(repeating: "81", count: 64) + "00") else {
            Issue.record("nesting was not found to be too deep")
            return
        }
    }

    @Test func tooLongPayloadsAreRefused() {
        #expect(throws: SMPError.tooLong(byteCount: 65544, limit: 65535)) {
            try SMPMessage(
                operation: .write, group: 0, sequence: 0, command: 0,
                payload: ["d": .bytes([UInt8](repeating: 0, count: 65536))])
        }
    }

    @Test func errorsNameTheirValues() {
        #expect("\(SMPStatus.notSupported)" == "not supported (rc 8)")
        #expect("\(SMPStatus(rawValue: .max))" == "an error (rc 18446744073709551615)")
        #expect("\(SMPError.group(8392, code: 5))".contains("8392"))
        let flooded = "\(SMPError.flooded(frames: 17, damagedFrames: 3, bytes: 1))"
        #expect(["17 frames, 3 of them damaged", "1 byte "].allSatisfy(flooded.contains))
        #expect("\(SMPError.timedOut(attempts: 4))".contains("4 attempts"))
        #expect("\(SMPError.timedOut(attempts: 1))" == "silence after 1 attempt")
        let unanswered = "\(SMPError.unanswered(attempts: 4, bytes: 23, damagedFrames: 2))"
        #expect(["4 attempts", "23 bytes", "2 damaged"].allSatisfy(unanswered.contains))
        #expect("\(SMPError.unrelated(attempts: 4, frames: 9))".contains("9 frames"))
    }

    /// Each says which field is wrong, not that there is none.
    @Test(
        arguments: [
            (["err": ["group": 8392, "rc": -1]], "rc"),
            (["err": ["group": 8392, "rc": "5"]], "rc"),
            (["err": ["group": 65536, "rc": 5]], "group"),
            (["err": ["rc": 5]], "without"), (["err": 5], "without"),
        ] as [(CBORMap, String)])
    func anErrorAnswerIsRead(_ payload: CBORMap, _ word: String) throws {
        let error = #expect(throws: SMPError.self) { try SMPError.check(payload) }
        guard case .malformed(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains(word))
        #expect(reason.contains("without") == (word == "without"))
    }
}
