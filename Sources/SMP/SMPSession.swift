public import CBOR

/// One client on one byte channel, without channel and clock: events in, effects out.
///
/// A caller carries out the effects in their order, hands in what arrives, and calls `timedOut()`
/// when the last `.wait` ran out with no `.finished` since. One request is open at a time. Each event
/// comes with its time, from any fixed moment on: the session learns from it how long answers take.
///
/// Each attempt has a sequence number of its own. Where executing a request again makes something
/// anew, only the answer to the last attempt counts: an earlier one could tell of an evidence that
/// the repeat has replaced by then. Everywhere else the first answer ends the request.
///
/// A loss that can be heard (a damaged frame) is made good at once, and more slowly where that does not
/// help; silence after the time that
/// answers usually take. While a device may be at work on a signature, a repeat would only have it
/// make another one: it is asked for an echo instead. Devices answer in order, so an echo that comes
/// first tells that the request, or its answer, is lost.
public struct SMPSession: Sendable {
    public enum Effect: Hashable, Sendable {
        /// One line, or one message where there are no lines.
        case send([UInt8])
        /// What was just sent was a repeat, and why.
        case repeated(SMPLoss)
        /// The time from now after which `timedOut()` is due. Replaces an earlier one; nothing else
        /// moves it.
        case wait(Duration)
        /// What the device printed between frames.
        case log([UInt8])
        /// The request's end. The payload has neither an error nor a return code but 0.
        case finished(Result<CBORMap, SMPError>)
    }

    public struct Settings: Hashable, Sendable {
        public var version = SMPVersion.v2
        /// Whether a server that refuses this version as too new is asked again in version 1.
        public var fallsBack = true
        public var framing = SMPFraming.console
        /// For requests that say nothing else.
        public var patience = Patience()
        /// Frames that are no answer, within one request.
        public var maximumStrayFrames = 256
        /// Bytes that arrive within one request, log text included.
        public var maximumByteCount = 4 << 20
        /// Bytes of a received message.
        public var maximumMessageLength = 8192
        /// Bytes of a sent line of the console framing.
        public var lineLength = SerialFrame.maximumLineLength

        public init() {}
    }

    /// The cheapest question that each device answers.
    static let inquiry = OSGroup.echo("").request
    /// After damage, a repeat waits until the line was silent for so long: the rest of the damaged
    /// answer may still be on its way, and some devices do not listen while they send.
    static let quietTime = Duration.milliseconds(10)
    /// A frame that has begun goes on within this time, or not at all.
    static let frameGap = Duration.milliseconds(50)

    public let settings: Settings
    /// Attempts behind the first, of all requests so far; those that wait for a device to start are
    /// none.
    public private(set) var retryCount = 0
    /// Frames that were lost on their way here, so far.
    public private(set) var damagedFrameCount = 0
    /// Attempts of the latest request.
    public private(set) var attemptCount = 0
    /// What requests are sent in: the settings', or 1 behind a server that knows no other.
    public private(set) var version: SMPVersion
    /// Of the latest answer.
    public private(set) var answeredVersion = SMPVersion.v2
    private var decoder: FrameReader
    private var nextSequence: UInt8
    private var exchange: Exchange?
    private var now = Duration.zero
    private var answerTime = RoundTripEstimator()
    private var workTime = RoundTripEstimator()
    /// Whether all that was sent has been answered, so that no broken frame can be on the line.
    private var isLineClean = false

    /// A `firstSequence` that is not the same in each run keeps an answer to an earlier run apart.
    public init(settings: Settings = Settings(), firstSequence: UInt8 = 0) {
        self.settings = settings
        version = settings.version
        decoder = FrameReader(
            settings.framing, maximumMessageLength: settings.maximumMessageLength)
        nextSequence = firstSequence
    }

    /// Opens a request; one that is open is abandoned.
    ///
    /// - Parameter repeats: what to send instead at the second attempt, the third, and so on: the same
    ///   question in fewer octets, which damage hits less often.
    public mutating func request(
        _ request: SMPRequest, repeats: [SMPRequest] = [], patience: Patience? = nil,
        at time: Duration
    ) -> [Effect] {
        if exchange != nil { isLineClean = false }
        now = max(now, time)
        attemptCount = 0
        decoder.expect(group: request.group)
        exchange = Exchange(
            request, repeats: repeats, patience: patience ?? settings.patience, at: now)
        return attempt()
    }

    /// What arrived. Without an open request this only separates log text from frames.
    public mutating func received(_ bytes: [UInt8], at time: Duration) -> [Effect] {
        now = max(now, time)
        let events = decoder.push(bytes)
        exchange?.byteCount += bytes.count
        var effects = events.flatMap { event in handle(event) }
        guard let exchange else { return effects }
        if exchange.strayFrames > settings.maximumStrayFrames
            || exchange.byteCount > settings.maximumByteCount
        {
            effects += finish(
                .failure(
                    .flooded(
                        frames: exchange.strayFrames, damagedFrames: exchange.damagedFrames,
                        bytes: exchange.byteCount)))
        } else {
            effects += moveDeadline()
        }
        return effects
    }

    /// The last wait ran out.
    public mutating func timedOut(at time: Duration) -> [Effect] {
        guard let deadline = exchange?.deadline else { return [] }
        now = max(now, time, deadline)
        let isBrokenOff = decoder.isInFrame
        // What began may have been noise, with the answer behind it.
        let effects = decoder.abandonFrame().flatMap { event in handle(event) }
        if isBrokenOff { countDamage() }
        return exchange == nil ? effects : effects + giveUpWaiting(isBrokenOff: isBrokenOff)
    }

    private mutating func giveUpWaiting(isBrokenOff: Bool) -> [Effect] {
        guard var exchange else { return [] }
        guard exchange.request.isRepeatable, now < exchange.end else {
            return finish(.failure(exchange.silence))
        }
        let loss = isBrokenOff ? .brokenOff : exchange.loss(at: now)
        guard case .silence = loss else {
            exchange.silences = 0
            exchange.heardLosses += 1
            self.exchange = exchange
            return attempt(because: loss)
        }
        exchange.silences += 1
        self.exchange = exchange
        return exchange.patience.isForWork ? inquire() : attempt(because: loss)
    }

    // MARK: Sending

    private mutating func attempt(because loss: SMPLoss? = nil) -> [Effect] {
        guard var exchange else { return [] }
        let lines: [[UInt8]]
        let sent: Exchange.Sent
        do {
            (lines, sent) = try frame(exchange.nextRequest)
        } catch {
            return finish(.failure(error))
        }
        let isFirst = exchange.attempts.isEmpty
        var effects = send(lines, clearing: !isFirst || !isLineClean)
        exchange.attempts.append(sent)
        exchange.inquiries = []
        exchange.damage = nil
        exchange.isOvertaken = false
        attemptCount = exchange.attempts.count
        self.exchange = exchange
        if let loss {
            if loss.isOfLine, !exchange.patience.isForStart || !loss.isSilence { retryCount += 1 }
            effects.append(.repeated(loss))
        }
        return effects + wait(octets: sent.octets)
    }

    /// Is it at work, or did it not get the request?
    private mutating func inquire() -> [Effect] {
        guard let (lines, sent) = try? frame(Self.inquiry) else { return [] }
        exchange?.inquiries.append(sent)
        return send(lines, clearing: true) + wait(octets: sent.octets)
    }

    private mutating func frame(
        _ request: SMPRequest
    ) throws(SMPError) -> (lines: [[UInt8]], sent: Exchange.Sent) {
        let sequence = nextSequence
        nextSequence &+= 1
        let message = try SMPMessage(
            version: version, operation: request.operation, group: request.group,
            sequence: sequence, command: request.command, payload: request.payload)
        let lines =
            settings.framing == .console
            ? try SerialFrame.lines(of: message.encoded(), lineLength: settings.lineLength)
            : [message.encoded()]
        let octets = lines.reduce(0) { $0 + $1.count }
        return (lines, Exchange.Sent(sequence: sequence, time: now, octets: octets))
    }

    /// A frame that broke off swallows the next one unless a line feed comes between. One may stand
    /// there from an attempt, or from a run before this one. Without lines, a receiver looks into what
    /// it has swallowed.
    private mutating func send(_ lines: [[UInt8]], clearing: Bool) -> [Effect] {
        isLineClean = false
        return (clearing && settings.framing == .console ? [.send([SerialFrame.lineFeed])] : [])
            + lines.map { .send($0) }
    }

    // MARK: Waiting

    private mutating func wait(octets: Int) -> [Effect] {
        guard var exchange else { return [] }
        let estimator = exchange.patience.isForWork ? workTime : answerTime
        let firstWait = exchange.patience.firstWait
        let estimate = estimator.timeout(octets: octets).map {
            estimator.isGuess ? min($0, firstWait) : $0
        }
        let duration = min(exchange.wait(estimate), exchange.end - now)
        exchange.waitStart = now
        exchange.deadline = now + duration
        self.exchange = exchange
        return [.wait(duration)]
    }

    /// What arrived may say that the answer is coming, or that it will not come.
    private mutating func moveDeadline() -> [Effect] {
        guard var exchange, exchange.request.isRepeatable else { return [] }
        var deadline = max(exchange.deadline, exchange.workEnd)
        if decoder.isInFrame {
            deadline = max(exchange.damage == nil ? deadline : now, now + Self.frameGap)
        } else if exchange.damage != nil {
            deadline = max(now + Self.quietTime, exchange.earliestRepeat)
        } else if exchange.isOvertaken {
            deadline = now
        }
        deadline = min(deadline, exchange.end)
        guard deadline != exchange.deadline else { return [] }
        exchange.deadline = deadline
        self.exchange = exchange
        return [.wait(max(.zero, deadline - now))]
    }

    // MARK: Receiving

    private mutating func handle(_ event: SerialFrameEvent) -> [Effect] {
        switch event {
        case .text(let text):
            return [.log(text)]
        case .damaged(let damage):
            countDamage()
            exchange?.damage = damage
            return []
        case .oversized(let length):
            countDamage()
            exchange?.oversizedLength = length
            return []
        case .message(let message):
            return handle(message)
        }
    }

    private mutating func countDamage() {
        damagedFrameCount += 1
        exchange?.damagedFrames += 1
        exchange?.strayFrames += 1
    }

    private mutating func handle(_ message: [UInt8]) -> [Effect] {
        guard var exchange else { return [] }
        let header = SMPHeader(message)
        if let attempt = header.flatMap(exchange.attempt(answeredBy:)) {
            record(attempt, answer: message)
            if isTooNew(message) {
                version = .v1
                return self.attempt(because: .olderVersion)
            }
            if exchange.accepts(attempt) {
                isLineClean = exchange.isLatest(attempt) && exchange.damage == nil
                return finish(with: message)
            }
            // It works through its queue: the answer that counts takes as long again.
            exchange.workEnd = now + (now - attempt.time)
        } else if let inquiry = header.flatMap(exchange.inquiry(answeredBy:)) {
            answerTime.record(
                .init(time: now - inquiry.time, sent: inquiry.octets, received: message.count))
            exchange.isOvertaken = true
        } else if header?.operation.isResponse == true {
            exchange.unrelatedFrames += 1
        }
        exchange.strayFrames += 1
        self.exchange = exchange
        return []
    }

    /// Whether the server refuses the request because it knows version 1 only. Silence and other refusals
    /// say nothing about that.
    private func isTooNew(_ message: [UInt8]) -> Bool {
        guard settings.fallsBack, version == .v2, exchange?.request.isRepeatable == true,
            let answer = try? SMPMessage(decoding: message), answer.header.version == .v1
        else { return false }
        return answer.payload["rc"]?.unsigned == SMPStatus.tooNew.rawValue
    }

    private mutating func record(_ attempt: Exchange.Sent, answer: [UInt8]) {
        guard let exchange else { return }
        // Where more was sent since, that may have helped: the line feed of the next attempt ends a
        // frame whose own was lost.
        let sample = RoundTripEstimator.Sample(
            time: now - attempt.time, sent: attempt.octets, received: answer.count,
            isGuess: exchange.patience.isForStart || !exchange.isLatest(attempt))
        if exchange.patience.isForWork {
            workTime.record(sample)
        } else {
            answerTime.record(sample)
        }
    }

    private mutating func finish(with message: [UInt8]) -> [Effect] {
        do {
            let answer = try SMPMessage(decoding: message)
            answeredVersion = answer.header.version
            try SMPError.check(answer.payload)
            return finish(.success(answer.payload))
        } catch {
            return finish(.failure(error))
        }
    }

    private mutating func finish(_ result: Result<CBORMap, SMPError>) -> [Effect] {
        exchange = nil
        return [.finished(result)]
    }
}
