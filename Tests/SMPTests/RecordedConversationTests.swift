import CBOR
import SMP
import Testing

/// Every recorded answer, as a session that asked for it takes it.
struct RecordedConversationTests {
    struct Outcome: Sendable, CustomTestStringConvertible {
        let name: String
        let result: Result<CBORMap, SMPError>
        var testDescription: String { name }

        init(_ name: String, _ payload: CBORMap) {
            self.name = name
            result = .success(payload)
        }

        init(_ name: String, _ error: SMPError) {
            self.name = name
            result = .failure(error)
        }
    }

    private static let silence = SMPError.timedOut(attempts: 1)

    static let zephyr = [
        Outcome("params", ["buf_size": 384, "buf_count": 4]),
        Outcome("echo v2", ["r": "hi"]),
        Outcome("echo v1", ["r": "hi"]),
        Outcome("unknown group 66 v2", .status(.notSupported)),
        Outcome("unknown group 66 v1", .status(.notSupported)),
        Outcome("unknown cmd 99 v2", .status(.notSupported)),
        // Zephyr's console drops lines that are not paced.
        Outcome("echo long 200 (2 frames)", silence),
        Outcome("bad crc", silence),
        Outcome("truncated frame then good", silence),
        Outcome("truncated frame + LF then good", ["r": "hi"]),
        Outcome("bad cbor", .status(.invalidValue)),
        Outcome("CR LF end", ["r": "hi"]),
        Outcome("header len too long", .status(.corrupt)),
        Outcome("settings write v2 (group err)", .group(3, code: 5)),
        Outcome("settings write v1 (group err)", .status(.unknown)),
        Outcome("alive", ["r": "ok"]),
    ]

    /// With every line end and in every cut; indefinite lengths and both error formats are in it.
    @Test func everyDialogueEndsAsItDid() throws {
        #expect(Self.zephyr.map(\.name) == RecordedVectors.zephyr.map(\.name))
        for (outcome, dialogue) in zip(Self.zephyr, RecordedVectors.zephyr) {
            let frame = hex(dialogue.responseFrame)
            for answer in [frame, crlf(frame)] {
                for cut in [1, 2, 3, 7, Int.max] {
                    let result = try converse(hex(dialogue.request), answer: answer, cut: cut)
                    #expect(result == outcome.result, "\(outcome.name), cut \(cut)")
                }
            }
        }
    }

    /// Answers of servers that were not Zephyr.
    @Test(
        arguments: [
            ("0800000100400901a0", "rsp v1 error rc=8", Outcome("v1", .status(.notSupported))),
            ("0800000100420901a0", "rsp v2 error group66 rc5", Outcome("v2", .group(66, code: 5))),
        ])
    func bothErrorFormats(request: String, answer: String, outcome: Outcome) throws {
        let vector = try #require(RecordedVectors.client.first { $0.name == answer })
        var request = hex(request)
        // Writes, as the recorded answers are: the first version 1, the second version 2.
        request[0] = hex(vector.message)[0] - 1
        #expect(try converse(request, answer: hex(vector.frame)) == outcome.result)
    }

    @Test func thePutIsAnswered() throws {
        let put = try #require(RecordedVectors.client.first { $0.name == "put" })
        var request = hex(put.message)
        let answer = hex(RecordedVectors.putResponse)
        request[6] = answer[6]
        let frame = try SerialFrame.lines(of: answer).flatMap { $0 }
        #expect(try converse(request, answer: frame) == .success(["slot": 3, "len": 4]))
    }

    /// What the recording client sent is what this one sends, where it was a whole frame.
    @Test func theRequestsAreFramedAlike() throws {
        let broken: Set<String> = [
            "bad crc", "truncated frame then good", "truncated frame + LF then good", "CR LF end",
        ]
        var count = 0
        for dialogue in RecordedVectors.zephyr where !broken.contains(dialogue.name) {
            count += 1
            let lines = try SerialFrame.lines(of: hex(dialogue.request))
            #expect(lines.flatMap { $0 } == hex(dialogue.requestFrame), "\(dialogue.name)")
            #expect(messages(hex(dialogue.requestFrame)) == [hex(dialogue.request)])
        }
        #expect(count == 12)
        // The broken ones, as a receiver takes them.
        for dialogue in RecordedVectors.zephyr where broken.contains(dialogue.name) {
            let expected = dialogue.name == "bad crc" ? [] : [hex(dialogue.request)]
            #expect(messages(hex(dialogue.requestFrame)) == expected, "\(dialogue.name)")
        }
    }

    /// A frame that breaks off anywhere is no message, and takes none with it.
    @Test func truncatedAnswersAreNone() throws {
        for dialogue in RecordedVectors.zephyr where !dialogue.responseFrame.isEmpty {
            let frame = hex(dialogue.responseFrame)
            for length in 0..<frame.count - 1 {
                #expect(messages(Array(frame.prefix(length))) == [], "\(dialogue.name)")
                let repeated = Array(frame.prefix(length)) + [0x0A] + frame
                #expect(messages(repeated) == [hex(dialogue.response)], "\(dialogue.name)")
            }
        }
    }

    private func messages(_ bytes: [UInt8]) -> [[UInt8]] {
        var decoder = SerialFrameDecoder()
        return decoder.push(bytes).compactMap {
            if case .message(let message) = $0 { message } else { nil }
        }
    }

    private func crlf(_ frame: [UInt8]) -> [UInt8] {
        frame.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    }

    /// What becomes of `request` when `answer` arrives, and nothing behind it.
    private func converse(
        _ request: [UInt8], answer: [UInt8], cut: Int = .max
    ) throws -> Result<CBORMap, SMPError>? {
        let header = try #require(SMPHeader(request))
        var settings = SMPSession.Settings()
        settings.version = header.version
        var session = SMPSession(settings: settings, firstSequence: header.sequence)
        var effects = session.request(
            SMPRequest(
                header.operation, group: header.group, command: header.command,
                isRepeatable: false))
        var rest = answer[...]
        while !rest.isEmpty {
            effects += session.received(Array(rest.prefix(cut)))
            rest = rest.dropFirst(cut)
        }
        effects += session.timedOut()
        return effects.compactMap { if case .finished(let result) = $0 { result } else { nil } }
            .first
    }
}
