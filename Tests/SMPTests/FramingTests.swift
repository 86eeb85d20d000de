import CBOR
import SMP
import Testing

/// The session on channels that have no lines, and with servers that know one version only.
struct FramingTests {
    private typealias Effect = SMPSession.Effect

    private let request = SMPRequest(.read, group: 66, command: 1, isIdempotent: true)

    private func session(
        _ framing: SMPFraming, _ change: (inout SMPSession.Settings) -> Void = { _ in }
    ) -> SMPSession {
        var settings = SMPSession.Settings()
        settings.framing = framing
        change(&settings)
        return SMPSession(settings: settings)
    }

    private func answer(
        sequence: UInt8 = 0, _ payload: CBORMap = ["len": 4], version: SMPVersion = .v2
    ) throws -> [UInt8] {
        try SMPMessage(
            version: version, operation: .readResponse, group: 66, sequence: sequence, command: 1,
            payload: payload
        ).encoded()
    }

    private func sent(_ effects: [Effect]) -> [[UInt8]] {
        effects.compactMap { if case .send(let bytes) = $0 { bytes } else { nil } }
    }

    private func result(_ effects: [Effect]) -> Result<CBORMap, SMPError>? {
        effects.compactMap { if case .finished(let result) = $0 { result } else { nil } }.last
    }

    /// Also the repeats: no line feed clears anything.
    @Test(arguments: [SMPFraming.raw, .datagram])
    func aRequestIsOneMessage(_ framing: SMPFraming) throws {
        var session = session(framing)
        let first = sent(session.request(request))
        #expect(try first.map(SMPMessage.init).map(\.header.sequence) == [0])
        let second = sent(session.timedOut())
        #expect(try second.map(SMPMessage.init).map(\.header.sequence) == [1])
        #expect(try result(session.received(answer(sequence: 1)))?.get() == ["len": 4])
    }

    @Test func aRawAnswerMayComeInAnyCut() throws {
        let whole = try answer(["data": .bytes([UInt8](0...99))])
        for length in 0...whole.count {
            var session = session(.raw)
            _ = session.request(request)
            let effects = session.received(Array(whole[..<length]))
            let rest = session.received(Array(whole[length...]))
            #expect(result(effects + rest) != nil)
            #expect(!(effects + rest).contains { if case .log = $0 { true } else { false } })
        }
    }

    /// Noise that looks like a long message swallows the answer, until the line has been silent.
    @Test func silenceEndsAFalseHeader() throws {
        var session = session(.raw)
        _ = session.request(request)
        let falseHeader: [UInt8] = [0x09, 0, 0x10, 0x00, 0, 66, 7, 1, 0xA1]
        #expect(result(session.received(falseHeader + (try answer()))) == nil)
        let effects = session.timedOut(at: .seconds(1))
        #expect(try result(effects)?.get() == ["len": 4])
        #expect(session.damagedFrameCount > 0)
    }

    /// A payload that is no map is damage on a line without a checksum, and an answer elsewhere.
    @Test func whatIsNoMapIsAskedForAgainWhereNothingElseTells() throws {
        var bad = try answer()
        bad[9] = 0xFF
        var raw = session(.raw)
        _ = raw.request(request)
        #expect(result(raw.received(bad)) == nil)
        #expect(raw.timedOut().contains { if case .repeated = $0 { true } else { false } })
        var datagram = session(.datagram)
        _ = datagram.request(request)
        guard case .failure(.malformed)? = result(datagram.received(bad)) else {
            Issue.record("a datagram has a checksum")
            return
        }
    }

    @Test func aDatagramIsOneMessageOrNone() throws {
        let good = try answer()
        for bad in [Array(good.dropLast()), good + [0], good + good, [], [0x09], [0xFF]] {
            var session = session(.datagram)
            _ = session.request(request)
            #expect(result(session.received(bad)) == nil)
            #expect(session.damagedFrameCount == 1)
            #expect(try result(session.received(good))?.get() == ["len": 4])
        }
        var session = session(.datagram) { $0.maximumMessageLength = 64 }
        _ = session.request(
            request, patience: .init(firstWait: .seconds(1), limit: .seconds(1)), at: .zero)
        #expect(result(session.received(try answer(["d": .bytes([UInt8](0...99))]))) == nil)
        guard case .failure(.oversized)? = result(session.timedOut(at: .seconds(2))) else {
            Issue.record("it was more than this host takes")
            return
        }
    }

    /// Duplicates and late ones answer nothing that is open.
    @Test func anAnswerCountsOnce() throws {
        var session = session(.datagram)
        _ = session.request(request)
        #expect(result(session.received(try answer())) != nil)
        _ = session.request(request)
        #expect(result(session.received(try answer())) == nil)
        #expect(result(session.received(try answer(sequence: 1))) != nil)
    }

    // MARK: Versions

    @Test func aServerOfVersion1IsAskedInVersion1() throws {
        var session = session(.datagram)
        _ = session.request(request)
        let effects = session.received(try answer(["rc": 13], version: .v1))
        #expect(effects.contains(.repeated(.olderVersion)))
        let repeated = try #require(sent(effects).first)
        #expect(try SMPMessage(decoding: repeated).header.version == .v1)
        #expect(
            try result(session.received(answer(sequence: 1, version: .v1)))?.get() == ["len": 4])
        #expect(session.answeredVersion == .v1)
        #expect(session.retryCount == 0)
        // And from then on.
        let next = try #require(sent(session.request(request)).first)
        #expect(try SMPMessage(decoding: next).header.version == .v1)
    }

    /// Nothing else is a reason: not another refusal, not one in version 2, and not the user's own choice.
    @Test func nothingElseLowersTheVersion() throws {
        for (code, version) in [(8, SMPVersion.v1), (12, .v1), (13, .v2), (1, .v1)] {
            var session = session(.datagram)
            _ = session.request(request)
            let effects = session.received(try answer(["rc": .int(code)], version: version))
            #expect(result(effects) == .failure(.status(SMPStatus(rawValue: UInt64(code)))))
            #expect(session.version == .v2)
        }
        var fixed = session(.datagram) { $0.fallsBack = false }
        _ = fixed.request(request)
        #expect(
            result(fixed.received(try answer(["rc": 13], version: .v1)))
                == .failure(.status(.tooNew)))
        // It refuses version 1 as too new? Then it refuses everything.
        var twice = session(.datagram)
        _ = twice.request(request)
        _ = twice.received(try answer(["rc": 13], version: .v1))
        #expect(
            result(twice.received(try answer(sequence: 1, ["rc": 13], version: .v1)))
                == .failure(.status(.tooNew)))
    }

    @Test func version1HasNearestCodes() {
        let contract = DeviceContract()
        #expect(contract.deviceError(.status(.noEntry), version: .v1) == .noSuchKey)
        #expect(contract.deviceError(.status(.noEntry)) == nil)
        #expect(contract.deviceError(.status(.unknown), version: .v1) == nil)
        #expect(contract.deviceError(.group(8392, code: 2), version: .v1) == .noSuchKey)
    }
}
