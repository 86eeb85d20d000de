import CBOR
import SMP
import Testing

struct SMPSessionTests {
    private typealias Effect = SMPSession.Effect

    private let request = SMPRequest(.read, group: 66, command: 1, payload: ["slot": 3])
    private let answer: CBORMap = ["len": 4]

    private func session(
        firstSequence: UInt8 = 0, _ change: (inout SMPSession.Settings) -> Void = { _ in }
    ) -> SMPSession {
        var settings = SMPSession.Settings()
        change(&settings)
        return SMPSession(settings: settings, firstSequence: firstSequence)
    }

    private func frame(
        _ payload: CBORMap? = nil, operation: SMPOperation = .readResponse, group: UInt16 = 66,
        command: UInt8 = 1, sequence: UInt8 = 0, version: SMPVersion = .v2
    ) throws -> [UInt8] {
        let message = try SMPMessage(
            version: version, operation: operation, group: group, sequence: sequence,
            command: command, payload: payload ?? answer)
        return try SerialFrame.lines(of: message.encoded()).flatMap { $0 }
    }

    private func sent(_ effects: [Effect]) -> [UInt8] {
        effects.flatMap { if case .send(let line) = $0 { line } else { [UInt8]() } }
    }

    private func wait(_ effects: [Effect]) -> Duration? {
        effects.compactMap { if case .wait(let time) = $0 { time } else { nil } }.last
    }

    private func result(_ effects: [Effect]) -> Result<CBORMap, SMPError>? {
        effects.compactMap { if case .finished(let result) = $0 { result } else { nil } }.last
    }

    /// Every request that this project makes and that was recorded, with its recorded answer.
    @Test(arguments: [
        ("mcumgr params read", "params"), ("echo hi v2(seq7)", "echo v2"),
    ])
    func theRecordedDialogues(client: String, server: String) throws {
        let sentFrame = try #require(RecordedVectors.client.first { $0.name == client })
        let dialogue = try #require(RecordedVectors.zephyr.first { $0.name == server })
        let sequence = try #require(SMPHeader(hex(sentFrame.message))).sequence
        var session = session(firstSequence: sequence)
        let request =
            client.hasPrefix("echo") ? OSGroup.echo("hi").request : OSGroup.parameters().request
        #expect(sent(session.request(request)) == [0x0A] + hex(sentFrame.frame))
        let payload = try #require(result(session.received(hex(dialogue.responseFrame)))).get()
        if client.hasPrefix("echo") {
            #expect(try OSGroup.echo("hi").answer(payload) == "hi")
        } else {
            let parameters = try OSGroup.parameters().answer(payload)
            #expect(parameters == OSGroup.Parameters(bufferSize: 384, bufferCount: 4))
        }
    }

    @Test func theRecordedRequests() throws {
        func frame(of name: String, _ request: SMPRequest, version: SMPVersion = .v2) throws {
            let vector = try #require(RecordedVectors.client.first { $0.name == name })
            let header = try #require(SMPHeader(hex(vector.message)))
            var session = session(firstSequence: header.sequence) { $0.version = version }
            #expect(sent(session.request(request)).dropFirst() == hex(vector.frame)[...])
        }
        try frame(of: "echo hi v1(seq7)", OSGroup.echo("hi").request, version: .v1)
        try frame(of: "echo seq255", OSGroup.echo("").request)
        try frame(of: "reset", OSGroup.reset().request)
        try frame(of: "image state read", SMPRequest(.read, group: 1, command: 0))
        try frame(
            of: "put",
            SMPRequest(
                .write, group: 66, command: 1,
                payload: ["slot": 3, "data": .bytes([0, 0x11, 0x22, 0x33])]))
    }

    /// The recorded refusals, as errors.
    @Test(arguments: [
        ("unknown group 66 v2", SMPError.status(.notSupported)),
        ("unknown group 66 v1", .status(.notSupported)),
        ("unknown cmd 99 v2", .status(.notSupported)),
        ("bad cbor", .status(.invalidValue)),
        ("header len too long", .status(.corrupt)),
        ("settings write v2 (group err)", .group(3, code: 5)),
        ("settings write v1 (group err)", .status(.unknown)),
    ])
    func theRecordedRefusals(name: String, error: SMPError) throws {
        let dialogue = try #require(RecordedVectors.zephyr.first { $0.name == name })
        let header = try #require(SMPHeader(hex(dialogue.request)))
        for cut in [1, 3, Int.max] {
            var session = session(firstSequence: header.sequence) { $0.version = header.version }
            _ = session.request(
                SMPRequest(header.operation, group: header.group, command: header.command))
            var rest = hex(dialogue.responseFrame)[...]
            var effects: [Effect] = []
            while !rest.isEmpty {
                effects += session.received(Array(rest.prefix(cut)))
                rest = rest.dropFirst(cut)
            }
            #expect(result(effects) == .failure(error))
        }
    }

    @Test func onlyTheAnswerCounts() throws {
        var session = session(firstSequence: 9)
        _ = session.request(request)
        let strays = [
            try frame(sequence: 8), try frame(sequence: 10), try frame(group: 67, sequence: 9),
            try frame(command: 2, sequence: 9), try frame(operation: .writeResponse, sequence: 9),
            // Our own request, as a line that echoes gives it back.
            try frame(operation: .read, sequence: 9),
            try SerialFrame.lines(of: [1, 2, 3]).flatMap { $0 },
        ]
        for stray in strays { #expect(session.received(stray) == []) }
        #expect(session.received(try frame(sequence: 9)) == [.finished(.success(answer))])
        // The same answer once more is nobody's.
        #expect(session.received(try frame(sequence: 9)) == [])
        _ = session.request(request)
        #expect(session.received(try frame(sequence: 9)) == [])
        #expect(result(session.received(try frame(sequence: 10))) == .success(answer))
    }

    @Test func bothVersionsAnswer() throws {
        var session = session()
        _ = session.request(request)
        #expect(result(session.received(try frame(version: .v1))) == .success(answer))
    }

    @Test func silenceIsRetriedAndEnds() throws {
        var session = session()
        let first = session.request(request)
        #expect(wait(first) == .seconds(1))
        for (attempt, seconds) in [(1, 2), (2, 4), (3, 8)] {
            let effects = session.timedOut()
            #expect(wait(effects) == .seconds(seconds))
            #expect(effects.first == .send([0x0A]))
            var decoder = SerialFrameDecoder()
            let message = decoder.push(sent(effects)).last
            guard case .message(let bytes)? = message else {
                Issue.record("no message was sent")
                return
            }
            #expect(SMPHeader(bytes)?.sequence == UInt8(attempt))
        }
        #expect(session.retryCount == 3)
        #expect(
            session.timedOut() == [.finished(.failure(.timedOut(attempts: 4)))])
        #expect(session.timedOut() == [])
        #expect(session.received(try frame(sequence: 3)) == [])
    }

    @Test func aLostAnswerIsAskedForAgain() throws {
        var session = session()
        _ = session.request(request)
        _ = session.timedOut()
        // The late answer to the first attempt: what it tells may be replaced by now.
        #expect(session.received(try frame(["len": 1], sequence: 0)) == [])
        #expect(result(session.received(try frame(sequence: 1))) == .success(answer))
        #expect(session.retryCount == 1)
        // Only the first request of a session and repeats open with a line feed.
        #expect(sent(session.request(request)).first == 6)
    }

    @Test func whatMayNotBeRepeatedIsSentOnce() {
        var session = session()
        let once = SMPRequest(.write, group: 66, command: 1, isRepeatable: false)
        #expect(wait(session.request(once)) == .seconds(15))
        #expect(session.timedOut() == [.finished(.failure(.timedOut(attempts: 1)))])
    }

    @Test func sequenceNumbersGoRound() throws {
        var session = session(firstSequence: 255)
        _ = session.request(request)
        #expect(result(session.received(try frame(sequence: 255))) == .success(answer))
        _ = session.request(request)
        #expect(result(session.received(try frame(sequence: 0))) == .success(answer))
    }

    @Test func logTextIsHandedOut() throws {
        var session = session()
        #expect(session.received(Array("boot\n".utf8)) == [.log(Array("boot\n".utf8))])
        _ = session.request(request)
        let effects = session.received(Array("I: x\n".utf8) + (try frame()) + [0x41])
        #expect(
            effects == [
                .log(Array("I: x\n".utf8)), .finished(.success(answer)), .log([0x41]),
            ])
    }

    @Test func aFloodOfFramesEnds() throws {
        var session = session { $0.maximumStrayFrames = 10 }
        _ = session.request(request)
        let stray = try frame(sequence: 77)
        for _ in 0..<10 { #expect(session.received(stray) == []) }
        #expect(
            session.received(stray)
                == [
                    .finished(
                        .failure(.flooded(frames: 11, damagedFrames: 0, bytes: 11 * stray.count)))
                ])
        // And damaged ones, and an answer that comes in the same breath still counts.
        _ = session.request(request)
        let damaged = Array("\u{6}\tA!\n".utf8)
        let flood = (0..<11).flatMap { _ in damaged }
        #expect(
            session.received(flood + (try frame(sequence: 1))).last == .finished(.success(answer)))
        _ = session.request(request)
        #expect(
            result(session.received(flood))
                == .failure(.flooded(frames: 11, damagedFrames: 11, bytes: 55)))
    }

    @Test func aFloodOfTextEnds() {
        var session = session { $0.maximumByteCount = 1000 }
        _ = session.request(request)
        #expect(result(session.received([UInt8](repeating: 0x41, count: 1000))) == nil)
        #expect(
            result(session.received([0x41]))
                == .failure(.flooded(frames: 0, damagedFrames: 0, bytes: 1001)))
    }

    @Test func whatWasHeardInPlaceOfAnAnswerIsTold() throws {
        let once = SMPRequest(.read, group: 66, command: 1, isRepeatable: false)
        func silence(_ heard: [UInt8]...) -> SMPError? {
            var session = session()
            _ = session.request(once)
            for bytes in heard { _ = session.received(bytes) }
            guard case .failure(let error)? = result(session.timedOut()) else { return nil }
            return error
        }
        let damaged = Array("\u{6}\tA!\n".utf8)
        let stray = try frame(sequence: 77)
        let long = try SerialFrame.lines(of: [UInt8](repeating: 0, count: 9000)).flatMap { $0 }
        #expect(silence() == .timedOut(attempts: 1))
        #expect(
            silence(Array("text".utf8), damaged)
                == .unanswered(attempts: 1, bytes: 9, damagedFrames: 1))
        var echo = session()
        let line = sent(echo.request(request))
        #expect(
            silence(line) == .unanswered(attempts: 1, bytes: line.count, damagedFrames: 0))
        #expect(silence(damaged, stray, damaged) == .unrelated(attempts: 1, frames: 1))
        guard case .oversized(let reason)? = silence(damaged, stray, long) else {
            Issue.record("a frame that is too long was not told")
            return
        }
        #expect(reason.contains("9000"))
    }

    @Test(
        arguments: [
            ["err": 5], ["err": ["group": 3]], ["err": ["rc": 3]], ["rc": "no"], ["rc": -1],
            ["err": ["group": 65536, "rc": 1]], ["err": ["group": 1, "rc": -1]],
        ] as [CBORMap])
    func errorsThatAreNoneAreMalformed(_ payload: CBORMap) throws {
        var session = session()
        _ = session.request(request)
        guard case .failure(.malformed)? = result(session.received(try frame(payload))) else {
            Issue.record("\(payload) was taken")
            return
        }
    }

    @Test func zeroIsNoError() throws {
        for payload: CBORMap in [["rc": 0], ["err": ["group": 1, "rc": 0]]] {
            var session = session()
            _ = session.request(request)
            #expect(result(session.received(try frame(payload))) == .success(payload))
        }
    }

    @Test func anAnswerThatIsNoMapIsMalformed() throws {
        var session = session()
        _ = session.request(request)
        let bytes = hex("0900 0001 0042 00 01 80")
        let effects = session.received(try SerialFrame.lines(of: bytes).flatMap { $0 })
        #expect(result(effects) == .failure(.malformed("the SMP payload is no CBOR map")))
    }

    @Test func requestsThatDoNotFitFail() {
        var session = session()
        let large = SMPRequest(
            .write, group: 66, command: 1,
            payload: ["data": .bytes([UInt8](repeating: 0, count: 70_000))])
        #expect(
            session.request(large)
                == [.finished(.failure(.tooLong(byteCount: 70_011, limit: 65535)))])
        #expect(session.timedOut() == [])
    }
}
