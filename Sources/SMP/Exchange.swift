/// One request, with all of its attempts and what came meanwhile. Times are the session's.
struct Exchange {
    struct Sent {
        let sequence: UInt8
        let time: Duration
        let octets: Int
    }

    let request: SMPRequest
    /// What to send at the repeats; the last one stays.
    let repeats: [SMPRequest]
    let patience: SMPSession.Patience
    let start: Duration
    /// When `timedOut` is due.
    var deadline: Duration
    /// Since when the session waits for this deadline.
    var waitStart: Duration

    var attempts: [Sent] = []
    /// Inquiries since the latest attempt.
    var inquiries: [Sent] = []
    /// Until when the device is at work on an earlier attempt, by what it showed.
    var workEnd = Duration.zero
    /// Waits that ended in silence since the device was last heard.
    var silences = 0
    /// Attempts whose loss was heard.
    var heardLosses = 0
    /// Damage that was heard since the latest attempt.
    var damage: SerialFrameDamage?
    var isOvertaken = false

    /// Frames that are no answer, of which some are damaged, and some answer nothing that was asked.
    var strayFrames = 0
    var damagedFrames = 0
    var unrelatedFrames = 0
    var byteCount = 0
    /// What a frame that was too long announced, the last of them.
    var oversizedLength: Int?

    init(
        _ call: SMPRequest, repeats: [SMPRequest], patience: SMPSession.Patience, at now: Duration
    ) {
        request = call
        self.repeats = repeats
        self.patience = patience
        start = now
        deadline = now
        waitStart = now
    }

    /// The moment at which the request is given up.
    var end: Duration { start + patience.limit }

    /// Repeats in a row that follow damage at once.
    private static let promptRepeats = 8
    /// How many attempts there is room for, whatever the damage: one of eight that arrive whole is among
    /// them, and less than half of the stray frames that one request may bring.
    private static let roomForRepeats = 100

    /// When the latest attempt may be followed by another because of damage. Where nothing arrives whole, it
    /// is no use to ask as fast as the device answers.
    var earliestRepeat: Duration {
        let slowRepeats = min(heardLosses - Self.promptRepeats, 15)
        guard slowRepeats > 0, let latest = attempts.last else { return start }
        let longestPause = patience.limit / Self.roomForRepeats
        return latest.time + min(SMPSession.quietTime * (1 << slowRepeats), longestPause)
    }

    /// Whether `attempt` was sent last of all.
    func isLatest(_ attempt: Sent) -> Bool {
        inquiries.isEmpty && attempt.sequence == attempts.last?.sequence
    }

    /// What was heard in place of an answer, the most telling first.
    var silence: SMPError {
        if let oversizedLength {
            return .oversized("a frame announces a message of \(oversizedLength) bytes")
        }
        if unrelatedFrames > 0 {
            return .unrelated(attempts: attempts.count, frames: unrelatedFrames)
        }
        guard byteCount > 0 else { return .timedOut(attempts: attempts.count) }
        return .unanswered(
            attempts: attempts.count, bytes: byteCount, damagedFrames: damagedFrames)
    }

    /// What the next attempt sends.
    var nextRequest: SMPRequest {
        guard !attempts.isEmpty, !repeats.isEmpty else { return request }
        return repeats[min(attempts.count, repeats.count) - 1]
    }

    /// The attempt that `header` answers.
    func attempt(answeredBy header: SMPHeader) -> Sent? {
        guard header.operation == request.operation.response, header.group == request.group,
            header.command == request.command
        else { return nil }
        return attempts.last { $0.sequence == header.sequence }
    }

    func inquiry(answeredBy header: SMPHeader) -> Sent? {
        let inquiry = SMPSession.inquiry
        guard header.operation == inquiry.operation.response, header.group == inquiry.group,
            header.command == inquiry.command
        else { return nil }
        return inquiries.last { $0.sequence == header.sequence }
    }

    /// Whether the answer to `attempt` is the request's: see `SMPRequest.isIdempotent`.
    func accepts(_ attempt: Sent) -> Bool {
        request.isIdempotent || attempt.sequence == attempts.last?.sequence
    }

    /// Why the next attempt is made at `now`.
    func loss(at now: Duration) -> SMPLoss {
        if let damage { return .damage(damage) }
        return isOvertaken ? .overtaken : .silence(now - waitStart)
    }

    /// The wait after something was sent: doubled with each silence, as RFC 6298 §5.5 has it. Where the
    /// session knows how long this device takes, a first silence is a loss, not a reason to be patient,
    /// and the third one is enough of patience: a very bad line needs many attempts.
    func wait(_ estimate: Duration?) -> Duration {
        guard request.isRepeatable else { return patience.limit }
        let doubling = 1 << min(silences, 15)
        if patience.isForWork {
            // An inquiry may be lost, too: not so long that only a few fit in the limit.
            let longest = max(estimate ?? .zero, patience.firstWait * 8)
            return min((estimate ?? patience.firstWait) * doubling, longest)
        }
        guard let estimate else { return patience.firstWait * doubling }
        return min(estimate * (1 << min(max(0, silences - 1), 2)), patience.firstWait * 4)
    }
}
