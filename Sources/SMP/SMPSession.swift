public import CBOR

/// One client on one byte channel, without the channel: events in, effects out.
///
/// A caller carries out the effects in their order, hands in what arrives, and calls `timedOut()`
/// when the last `.wait` ran out with no `.finished` since. One request is open at a time.
///
/// Each attempt has a sequence number of its own, so that the answer that counts is the answer to
/// the request that the device executed last: a late answer to an earlier attempt could tell of
/// an evidence or a key that the repeat has replaced by then. Devices that are slower than the
/// first time-out are reached because each attempt waits twice as long as the one before.
public struct SMPSession: Sendable {
    public enum Effect: Hashable, Sendable {
        /// One line. Pause behind it where the device needs that.
        case send([UInt8])
        /// The time from now after which `timedOut()` is due. Replaces an earlier one; nothing else
        /// moves it.
        case wait(Duration)
        /// What the device printed between frames.
        case log([UInt8])
        /// The request's end. The payload has neither an error nor a return code but 0.
        case finished(Result<CBORMap, SMPError>)
    }

    /// How long a request may stay without an answer.
    public struct Patience: Hashable, Sendable {
        /// The most attempts of one request.
        public var attempts = 4
        /// The wait of the first attempt; each further one doubles it.
        public var timeout = Duration.seconds(1)

        public init() {}

        public init(attempts: Int, timeout: Duration) {
            self.attempts = attempts
            self.timeout = timeout
        }

        /// Four attempts, the third of which waits for `limit`: the longest that the device should
        /// take. The first waits for a quarter of it, since most answers come at once.
        public static func within(_ limit: Duration) -> Patience {
            Patience(attempts: 4, timeout: limit / 4)
        }

        /// Attempts from `timeout` on, as many as it takes to have waited for `limit` in all.
        public static func polling(from timeout: Duration, for limit: Duration) -> Patience {
            var (attempts, waited) = (1, timeout)
            while waited < limit, attempts < 16 {
                waited += timeout * (1 << attempts)
                attempts += 1
            }
            return Patience(attempts: attempts, timeout: timeout)
        }
    }

    public struct Settings: Hashable, Sendable {
        public var version = SMPVersion.v2
        /// For requests that say nothing else.
        public var patience = Patience()
        /// Frames that are no answer, within one request.
        public var maximumStrayFrames = 256
        /// Bytes that arrive within one request, log text included.
        public var maximumByteCount = 4 << 20
        /// Bytes of a received message.
        public var maximumMessageLength = 8192
        /// Bytes of a sent line.
        public var lineLength = SerialFrame.maximumLineLength

        public init() {}
    }

    private struct Exchange {
        let request: SMPRequest
        let patience: Patience
        var sequence: UInt8
        var attempt = 1
        var strayFrames = 0
        var damagedFrames = 0
        var byteCount = 0
        /// What a frame that was too long announced, the last of them.
        var oversizedLength: Int?

        /// What was heard in place of an answer, the most telling first.
        var silence: SMPError {
            if let oversizedLength {
                return .oversized("a frame announces a message of \(oversizedLength) bytes")
            }
            let unrelatedFrames = strayFrames - damagedFrames
            if unrelatedFrames > 0 {
                return .unrelated(attempts: attempt, frames: unrelatedFrames)
            }
            return byteCount == 0
                ? .timedOut(attempts: attempt)
                : .unanswered(attempts: attempt, bytes: byteCount, damagedFrames: damagedFrames)
        }
    }

    public let settings: Settings
    /// Attempts behind the first, of all requests so far.
    public private(set) var retryCount = 0
    private var decoder: SerialFrameDecoder
    private var nextSequence: UInt8
    private var exchange: Exchange?
    private var hasSent = false

    /// A `firstSequence` that is not the same in each run keeps an answer to an earlier run apart.
    public init(settings: Settings = Settings(), firstSequence: UInt8 = 0) {
        self.settings = settings
        decoder = SerialFrameDecoder(maximumMessageLength: settings.maximumMessageLength)
        nextSequence = firstSequence
    }

    /// Opens a request; one that is open is abandoned.
    public mutating func request(_ request: SMPRequest, patience: Patience? = nil) -> [Effect] {
        exchange = Exchange(
            request: request, patience: patience ?? settings.patience, sequence: takeSequence())
        return attempt()
    }

    /// What arrived. Without an open request this only separates log text from frames.
    public mutating func received(_ bytes: [UInt8]) -> [Effect] {
        let events = decoder.push(bytes)
        exchange?.byteCount += bytes.count
        var effects = events.flatMap { event in handle(event) }
        if let exchange,
            exchange.strayFrames > settings.maximumStrayFrames
                || exchange.byteCount > settings.maximumByteCount
        {
            effects += finish(
                .failure(.flooded(frames: exchange.strayFrames, bytes: exchange.byteCount)))
        }
        return effects
    }

    /// The last wait ran out.
    public mutating func timedOut() -> [Effect] {
        guard var exchange else { return [] }
        guard exchange.request.isRepeatable, exchange.attempt < exchange.patience.attempts else {
            return finish(.failure(exchange.silence))
        }
        exchange.attempt += 1
        exchange.sequence = takeSequence()
        retryCount += 1
        self.exchange = exchange
        return attempt()
    }

    private mutating func takeSequence() -> UInt8 {
        defer { nextSequence &+= 1 }
        return nextSequence
    }

    private mutating func attempt() -> [Effect] {
        guard let exchange else { return [] }
        let request = exchange.request
        let lines: [[UInt8]]
        do {
            let message = try SMPMessage(
                version: settings.version, operation: request.operation, group: request.group,
                sequence: exchange.sequence, command: request.command, payload: request.payload)
            lines = try SerialFrame.lines(
                of: message.encoded(), lineLength: settings.lineLength)
        } catch {
            return finish(.failure(error))
        }
        // A frame that broke off swallows the next one unless a line feed comes between. One may
        // stand there from an attempt, or from a run before this one.
        let lineFeed: [Effect] =
            hasSent && exchange.attempt == 1 ? [] : [.send([SerialFrame.lineFeed])]
        hasSent = true
        return lineFeed + lines.map { .send($0) } + [.wait(timeout(of: exchange))]
    }

    private func timeout(of exchange: Exchange) -> Duration {
        // What may be asked only once waits as long as all attempts of the others do.
        let attempts = min(max(exchange.patience.attempts, 1), 16)
        return exchange.request.isRepeatable
            ? exchange.patience.timeout * (1 << min(exchange.attempt - 1, 15))
            : exchange.patience.timeout * (1 << attempts - 1)
    }

    private mutating func handle(_ event: SerialFrameEvent) -> [Effect] {
        switch event {
        case .text(let text):
            return [.log(text)]
        case .damaged, .oversized:
            if case .oversized(let length) = event { exchange?.oversizedLength = length }
            exchange?.damagedFrames += 1
            exchange?.strayFrames += 1
            return []
        case .message(let message):
            guard let exchange, answers(message, exchange) else {
                exchange?.strayFrames += 1
                return []
            }
            do {
                let payload = try SMPMessage(decoding: message).payload
                try SMPError.check(payload)
                return finish(.success(payload))
            } catch {
                return finish(.failure(error))
            }
        }
    }

    private func answers(_ message: [UInt8], _ exchange: Exchange) -> Bool {
        guard let header = SMPHeader(message) else { return false }
        let request = exchange.request
        return header.operation == request.operation.response && header.group == request.group
            && header.command == request.command && header.sequence == exchange.sequence
    }

    private mutating func finish(_ result: Result<CBORMap, SMPError>) -> [Effect] {
        exchange = nil
        return [.finished(result)]
    }
}
