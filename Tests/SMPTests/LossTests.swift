import CBOR
import SMP
import Testing

/// What a session does about a loss, and when.
struct LossTests {
    private typealias Effect = SMPSession.Effect

    private let read = SMPRequest(.read, group: 66, command: 1, isIdempotent: true)
    /// Executing it again makes something anew.
    private let make = SMPRequest(.read, group: 66, command: 3)
    private let damaged = Array("\u{6}\tA!\n".utf8)

    private func answer(
        _ request: SMPRequest, sequence: UInt8, _ payload: CBORMap = ["ok": true]
    ) throws -> [UInt8] {
        let message = try SMPMessage(
            operation: request.operation.response, group: request.group, sequence: sequence,
            command: request.command, payload: payload)
        return try SerialFrame.lines(of: message.encoded()).flatMap { $0 }
    }

    /// The requests among what was sent.
    private func requests(_ effects: [Effect]) -> [SMPMessage] {
        var decoder = SerialFrameDecoder()
        let bytes = effects.flatMap { if case .send(let line) = $0 { line } else { [UInt8]() } }
        return decoder.push(bytes).compactMap {
            if case .message(let message) = $0 { try? SMPMessage(decoding: message) } else { nil }
        }
    }

    private func wait(_ effects: [Effect]) -> Duration? {
        effects.compactMap { if case .wait(let time) = $0 { time } else { nil } }.last
    }

    private func loss(_ effects: [Effect]) -> SMPLoss? {
        effects.compactMap { if case .repeated(let loss) = $0 { loss } else { nil } }.last
    }

    private func isFinished(_ effects: [Effect]) -> Bool {
        effects.contains { if case .finished(.success) = $0 { true } else { false } }
    }

    /// A session whose device has answered once, after 4 ms.
    private func acquainted() throws -> SMPSession {
        var session = SMPSession()
        _ = session.request(read, at: .zero)
        #expect(isFinished(session.received(try answer(read, sequence: 0), at: .milliseconds(4))))
        return session
    }

    @Test func damageIsMadeGoodOnceTheLineIsQuiet() throws {
        var session = SMPSession()
        _ = session.request(read, at: .zero)
        #expect(session.received(damaged, at: .milliseconds(5)) == [.wait(.milliseconds(10))])
        // The rest of the damaged answer is still coming.
        let rest = session.received(Array("\u{4}\u{14}AAAA\n".utf8), at: .milliseconds(9))
        #expect(wait(rest) == .milliseconds(10))
        let effects = session.timedOut(at: .milliseconds(19))
        #expect(loss(effects) == .damage(.notBase64))
        #expect(requests(effects).map(\.header.sequence) == [1])
        #expect(session.retryCount == 1 && session.damagedFrameCount == 1)
    }

    /// A device that answers at once, and each answer is damaged: asked soon at first, then now and then.
    @Test func damageWithoutEndIsNotAskedForWithoutEnd() throws {
        var session = SMPSession()
        var time = Duration.zero
        var times = [time]
        var pause = try #require(wait(session.request(read, at: time)))
        while true {
            pause = wait(session.received(damaged, at: time)) ?? pause
            time += pause
            let effects = session.timedOut(at: time)
            if case .finished(let result) = effects.last {
                let (attempts, bytes) = (times.count, times.count * damaged.count)
                #expect(
                    result
                        == .failure(
                            .unanswered(
                                attempts: attempts, bytes: bytes, damagedFrames: attempts)))
                break
            }
            #expect(loss(effects) == .damage(.notBase64))
            times.append(time)
            pause = try #require(wait(effects))
        }
        let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(pauses.prefix(8).allSatisfy { $0 == .milliseconds(10) })
        #expect(pauses.dropFirst(13).dropLast().allSatisfy { $0 == .milliseconds(150) })
        #expect((100..<120).contains(times.count))
        #expect(time == SMPSession.Patience().limit)
    }

    @Test func aFrameThatBreaksOffIsMadeGood() throws {
        var session = SMPSession()
        _ = session.request(read, at: .zero)
        let whole = try answer(read, sequence: 0)
        // 990 ms are over: half an answer is worth waiting for, but not for long.
        let half = session.received(Array(whole.prefix(9)), at: .milliseconds(990))
        #expect(wait(half) == .milliseconds(50))
        let effects = session.timedOut(at: .milliseconds(1040))
        #expect(loss(effects) == .brokenOff)
        // What comes of it later is neither text nor an answer, and does not cost another repeat.
        let late = session.received(Array(whole.dropFirst(9)), at: .milliseconds(1041))
        #expect(late == [])
        #expect(isFinished(session.received(try answer(read, sequence: 1), at: .seconds(2))))
        #expect(session.retryCount == 1)
    }

    @Test func anAnswerThatArrivesSlowlyIsWaitedFor() throws {
        var session = try acquainted()
        _ = session.request(read, at: .seconds(1))
        let bytes = try answer(read, sequence: 1)
        // 40 ms for each byte, where answers take 4 ms.
        for (index, byte) in bytes.enumerated() {
            let time = Duration.seconds(1) + .milliseconds(40 * (index + 1))
            let effects = session.received([byte], at: time)
            if index + 1 < bytes.count {
                #expect(!isFinished(effects))
            } else {
                #expect(isFinished(effects))
            }
        }
        #expect(session.retryCount == 0)
    }

    @Test func aKnownDeviceIsAskedAgainSoon() throws {
        var session = try acquainted()
        #expect(wait(session.request(read, at: .seconds(1))) == .milliseconds(80))
        var waits: [Duration?] = []
        for _ in 0..<7 { waits.append(wait(session.timedOut(at: .zero))) }
        #expect(waits == [80, 160, 320, 320, 320, 320, 320].map { .milliseconds($0) })
        // Until the limit, and not one wait longer.
        var total = waits.reduce(Duration.milliseconds(80)) { $0 + ($1 ?? .zero) }
        while let next = wait(session.timedOut(at: .zero)) { total += next }
        #expect(total == SMPSession.Patience().limit)
    }

    @Test func longRequestsGetTheTimeThatTheirOctetsTake() throws {
        var session = SMPSession()
        // A slow line: the first request and its answer, some fifty octets, take 50 ms.
        let time = Duration.milliseconds(50)
        _ = session.request(read, at: .zero)
        _ = session.received(try answer(read, sequence: 0), at: time)
        let short = try #require(wait(session.request(read, at: time)))
        let long = SMPRequest(
            .write, group: 66, command: 1,
            payload: ["data": .bytes([UInt8](repeating: 0, count: 384))])
        let longer = try #require(wait(session.request(long, at: time)))
        // Five hundred more.
        #expect(longer > short + .milliseconds(400))
    }

    @Test func whereARepeatMakesNothingNewEachAnswerCounts() throws {
        var session = SMPSession()
        _ = session.request(read, at: .zero)
        _ = session.timedOut(at: .seconds(1))
        #expect(isFinished(session.received(try answer(read, sequence: 0), at: .seconds(2))))
        // The answer to the repeat is nobody's, and the line may not be clean.
        let next = session.request(read, at: .seconds(2))
        #expect(next.first == .send([0x0A]))
        #expect(session.received(try answer(read, sequence: 1), at: .seconds(2)) == [])
    }

    @Test func aRepeatMayBeShorter() throws {
        let shorter = (1...2).map { index in
            SMPRequest(
                .read, group: 66, command: 1, payload: ["n": .int(index)], isIdempotent: true)
        }
        var session = SMPSession()
        _ = session.request(read, repeats: shorter, at: .zero)
        let sent = (0..<3).map { _ in requests(session.timedOut(at: .zero)).first?.payload["n"] }
        #expect(sent == [1, 2, 2])
        #expect(session.attemptCount == 4)
    }

    /// Twelve seconds for a signature, and a queue: it is not asked to sign twice.
    @Test func aDeviceAtWorkIsNotAskedToDoItAgain() throws {
        var session = SMPSession()
        var effects = session.request(make, patience: .working(.seconds(10)), at: .zero)
        var time = Duration.zero
        var inquiries: [UInt8] = []
        while let next = wait(effects), time + next < .seconds(12) {
            time += next
            effects = session.timedOut(at: time)
            for message in requests(effects) {
                #expect(message.header.group == 0 && message.header.command == 0)
                inquiries.append(message.header.sequence)
            }
        }
        #expect((4...9).contains(inquiries.count))
        #expect(isFinished(session.received(try answer(make, sequence: 0), at: .seconds(12))))
        #expect(session.retryCount == 0)
    }

    @Test func anEchoThatComesFirstMeansThatTheRequestIsLost() throws {
        var session = SMPSession()
        _ = session.request(make, patience: .working(.seconds(10)), at: .zero)
        let asked = session.timedOut(at: .milliseconds(250))
        let echo = try #require(requests(asked).first)
        #expect(loss(asked) == nil)
        let request = SMPRequest(.write, group: 0, command: 0)
        let heard = session.received(
            try answer(request, sequence: echo.header.sequence, ["r": ""]), at: .milliseconds(255))
        #expect(heard == [.wait(.zero)])
        let effects = session.timedOut(at: .milliseconds(255))
        #expect(loss(effects) == .overtaken)
        #expect(requests(effects).map(\.header.command) == [3])
        // The answer to the first attempt would be of what the repeat replaces.
        #expect(
            !isFinished(session.received(try answer(make, sequence: 0), at: .milliseconds(260))))
        #expect(isFinished(session.received(try answer(make, sequence: 2), at: .milliseconds(270))))
        #expect(session.retryCount == 1)
    }

    /// An answer that does not count still tells how long the one that counts will take.
    @Test func aQueueThatIsWorkedOffIsWaitedFor() throws {
        var session = SMPSession()
        _ = session.request(make, patience: .working(.seconds(10)), at: .zero)
        _ = session.received(damaged, at: .milliseconds(100))
        _ = session.timedOut(at: .milliseconds(110))
        let effects = session.received(try answer(make, sequence: 0), at: .seconds(9))
        #expect(wait(effects) == .seconds(9))
        #expect(isFinished(session.received(try answer(make, sequence: 1), at: .seconds(18))))
    }

    @Test func aDeviceThatStartsIsNotABadLine() throws {
        var session = SMPSession()
        _ = session.request(read, patience: .starting(.seconds(5)), at: .zero)
        _ = session.timedOut(at: .zero)
        #expect(isFinished(session.received(try answer(read, sequence: 1), at: .milliseconds(300))))
        #expect(session.retryCount == 0)
    }
}
