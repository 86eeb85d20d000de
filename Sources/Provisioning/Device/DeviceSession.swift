internal import CBOR
internal import SMP

/// Carries requests to the device over a channel: does what the sans-I/O session says, with a clock.
final class DeviceSession {
    let channel: any Channel
    private var session: SMPSession
    private let contract: DeviceContract
    private let deadlines: ProvisioningPlan.Deadlines
    private let observer: any RunObserver
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    /// Octets of credential in a message that the line was seen to carry; nil: none were sent yet.
    private var chunkLength: Int?
    /// Whether it has understood a request: it is the right device on the right port then.
    private var hasAnswered = false
    private var pace = LinePace()
    /// What came while a request was sent.
    private var early: [UInt8] = []
    /// Whether the latest request was repeated for as long as it may be: no accident, then.
    private var hasGivenUp = false

    /// What a device has to do for an answer.
    enum Effort {
        /// It may still be starting.
        case booting
        case answering
        /// It makes a key or a signature.
        case signing
    }

    /// Octets of credential in the first message on a line that has lost bytes already.
    private static let badLineChunkLength = 96
    /// Octets per read: several frames, so that a flood costs few system calls; or any one datagram that is
    /// not too long for the session.
    private let readLimit: Int

    init(
        channel: any Channel, plan: ProvisioningPlan, firstSequence: UInt8,
        observer: any RunObserver
    ) {
        contract = DeviceContract(group: plan.group)
        var settings = SMPSession.Settings()
        settings.framing = channel.carriesDatagrams ? .datagram : plan.framing
        settings.version = plan.smpVersion ?? .v2
        settings.fallsBack = plan.smpVersion == nil
        readLimit = channel.carriesDatagrams ? 2 * settings.maximumMessageLength : 4096
        session = SMPSession(settings: settings, firstSequence: firstSequence)
        deadlines = plan.deadlines
        start = clock.now
        self.channel = channel
        self.observer = observer
    }

    /// Requests that had to be repeated so far.
    var retries: Int { session.retryCount }

    /// Whether frames were lost or damaged so far. A checksum of 16 bits misses one in 65,536 of those
    /// that are damaged.
    /// Where there is no checksum at all, nothing tells.
    private var isLineBad: Bool {
        session.retryCount + session.damagedFrameCount > 0 || session.settings.framing.isUnchecked
    }

    private var now: Duration { clock.now - start }

    /// The device's answer to one request, after as many repeats as the session allows.
    ///
    /// - Parameters:
    ///   - doing: completes "could not …" in an error message.
    ///   - effort: what the device has to do for it, which says how long it may take.
    func call<Answer>(
        _ call: SMPCall<Answer>, to doing: String, _ effort: Effort = .answering
    ) throws(ProvisioningError) -> Answer {
        let result = try exchange(call, to: doing, effort)
        return try check(doing) { () throws(SMPError) in try call.answer(result.get()) }
    }

    /// As `call`, but nil if the device refuses with `refusal`.
    func call<Answer>(
        _ call: SMPCall<Answer>, unless refusal: DeviceError, to doing: String,
        _ effort: Effort = .answering
    ) throws(ProvisioningError) -> Answer? {
        let result = try exchange(call, to: doing, effort)
        if case .failure(let error) = result,
            contract.deviceError(error, version: session.answeredVersion) == refusal
        {
            return nil
        }
        return try check(doing) { () throws(SMPError) in try call.answer(result.get()) }
    }

    /// All parts of something that the device gives away in parts. A device that restarts in between has
    /// lost the rest, and is asked once more from the beginning.
    func read(_ whole: ChunkedRead, to doing: String) throws(ProvisioningError) -> [UInt8] {
        var transfer = whole
        // The device makes the whole for its first part.
        var effort = Effort.signing
        var hasBegunAnew = false
        while let call = transfer.next() {
            let chunk =
                effort == .signing || hasBegunAnew
                ? try self.call(call, to: doing, effort)
                : try self.call(call, unless: .badLengthOrOffset, to: doing, effort)
            guard let chunk else {
                observer.noted("the device has no more parts: once more from the first to \(doing)")
                (transfer, effort, hasBegunAnew) = (whole, .signing, true)
                continue
            }
            effort = .answering
            try check(doing) { () throws(SMPError) in try transfer.accept(chunk) }
        }
        return transfer.data ?? []
    }

    /// Delivers all of a credential, in parts as long as device and line carry.
    func write(
        _ credential: [UInt8], digest: [UInt8], keyID: UInt32, type: UInt64, chunkLimit: Int,
        to doing: String, progressed: (Int) -> Void
    ) throws(ProvisioningError) {
        var upload = try check(doing) { () throws(SMPError) in
            try contract.writeCredential(
                credential, digest: digest, keyID: keyID, type: type, chunkLength: chunkLimit,
                firstChunkLength: chunkLength ?? (isLineBad ? Self.badLineChunkLength : nil))
        }
        defer { chunkLength = upload.chunkLength }
        while let call = upload.next() {
            let expected = try self.call(call, to: doing)
            try check(doing) { () throws(SMPError) in
                try upload.accept(expectedOffset: expected, attempts: session.attemptCount)
            }
            progressed(upload.progress)
        }
    }

    /// Does `body` once more if it fails on a line that damages frames, for the cause may be a damaged
    /// frame whose checksum is right by accident. What is not an accident fails again.
    func withSecondChance<Value>(_ body: () throws(ProvisioningError) -> Value)
        throws(ProvisioningError) -> Value
    {
        do throws(ProvisioningError) {
            return try body()
        } catch {
            guard isLineBad, !hasGivenUp, error.code.mayBeDamage else { throw error }
            observer.noted("the line damages frames, so once more: \(error.reason)")
        }
        return try body()
    }

    /// What the protocol refuses, in the words of the run.
    func check<Value>(_ doing: String, _ body: () throws(SMPError) -> Value)
        throws(ProvisioningError) -> Value
    {
        do throws(SMPError) {
            return try body()
        } catch {
            throw ProvisioningError(
                error, doing, channel,
                contract.deviceError(error, version: session.answeredVersion),
                hasAnswered: hasAnswered)
        }
    }

    private func patience(for effort: Effort) -> SMPSession.Patience {
        switch effort {
        case .booting: .starting(deadlines.boot)
        case .answering: .within(deadlines.answer)
        case .signing: .working(deadlines.signature)
        }
    }

    private func exchange<Answer>(
        _ call: SMPCall<Answer>, to doing: String, _ effort: Effort
    ) throws(ProvisioningError) -> Result<CBORMap, SMPError> {
        guard now < deadlines.conversation else {
            throw ProvisioningError(
                .deviceSlow,
                "could not \(doing): the device has talked for \(deadlines.conversation.components.seconds) s on \(channel.name)",
                hint: "it answers, but too little at a time")
        }
        hasGivenUp = false
        pace.begin()
        let patience = patience(for: effort)
        let end = now + patience.limit
        var deadline = now
        var effects = session.request(
            call.request, repeats: call.repeats, patience: patience, at: now)
        while true {
            if let result = try perform(effects, to: doing, effort, &deadline) {
                switch result {
                case .success, .failure(.group), .failure(.status): hasAnswered = true
                default: hasGivenUp = now >= end
                }
                return result
            }
            let bytes = try read(until: deadline)
            if !bytes.isEmpty {
                effects = session.received(bytes, at: now)
            } else {
                effects = now >= deadline ? session.timedOut(at: now) : []
            }
        }
    }

    /// In pieces with pauses where the line loses requests that come at once. What the device says meanwhile is
    /// kept for the next `read`. A datagram has no parts.
    private func send(_ line: [UInt8]) throws(ProvisioningError) {
        guard let step = pace.step, !channel.carriesDatagrams else {
            return try channel.write(line, within: deadlines.write)
        }
        var rest = line[...]
        while !rest.isEmpty {
            try channel.write(Array(rest.prefix(step.pieceLength)), within: deadlines.write)
            rest = rest.dropFirst(step.pieceLength)
            let end = now + step.pause
            while case let remaining = end - now, remaining > .zero {
                let bytes = try channel.read(atMost: readLimit, within: remaining)
                // Of a flood, no more than the session takes before it gives up.
                if early.count <= session.settings.maximumByteCount { early += bytes }
            }
        }
    }

    private func read(until deadline: Duration) throws(ProvisioningError) -> [UInt8] {
        guard early.isEmpty else {
            defer { early = [] }
            return early
        }
        let remaining = deadline - now
        return remaining > .zero ? try channel.read(atMost: readLimit, within: remaining) : []
    }

    private func perform(
        _ effects: [SMPSession.Effect], to doing: String, _ effort: Effort,
        _ deadline: inout Duration
    ) throws(ProvisioningError) -> Result<CBORMap, SMPError>? {
        // The silence of a device that starts is no loss.
        if case .booting = effort {
        } else if effects.contains(where: \.tellsOfSilence) {
            pace.lose()
        }
        for effect in effects {
            switch effect {
            case .send(let line): try send(line)
            case .repeated(let loss): observer.noted("\(loss): trying again to \(doing)")
            case .wait(let duration): deadline = now + duration
            case .log(let text): observer.logged(text)
            case .finished(let result): return result
            }
        }
        return nil
    }
}

extension SMPSession.Effect {
    fileprivate var tellsOfSilence: Bool {
        if case .repeated(let loss) = self { loss.isUnheard } else { false }
    }
}

extension ErrorCode {
    /// Whether a single message that is not as it was sent could be the cause.
    fileprivate var mayBeDamage: Bool {
        switch self {
        case .protocolViolation, .answerOversized, .answerTooDeep, .deviceRefused,
            .versionUnsupported, .evidenceMalformed, .evidenceSignature, .evidenceReplayed,
            .evidenceProfile, .keyInvalid, .keyMismatch, .idMismatch, .credentialMismatch,
            .confirmFailed:
            true
        default: false
        }
    }
}

extension ProvisioningError {
    /// What the device's answer, or its silence, means for the run.
    ///
    /// - Parameters:
    ///   - refusal: what `error` means in the words of the device contract.
    ///   - hasAnswered: an earlier request of the same run.
    init(
        _ error: SMPError, _ doing: String, _ channel: any Channel, _ refusal: DeviceError?,
        hasAnswered: Bool
    ) {
        let reason = "could not \(doing): \(error)"
        switch error {
        case .timedOut:
            self.init(
                .deviceSilent, "\(reason) on \(channel.name)",
                hint: hasAnswered
                    ? "it answered until then: did it reset, or lose its cable? \(Self.look(channel))"
                    : "is this its port, and does its firmware hold the device library?")
        case .unanswered(_, _, let damagedFrames):
            let cause =
                if damagedFrames > 0 {
                    "frames arrive damaged: does another program read \(channel.name), or is the "
                        + "line bad?"
                } else if hasAnswered {
                    "it answered until then: did it reset?"
                } else {
                    "is its baud rate right, and does its firmware hold the device library?"
                }
            self.init(
                .noAnswer, "\(reason) on \(channel.name)", hint: "\(cause) -v shows its text")
        case .malformed: self.init(.protocolViolation, reason, hint: Self.look(channel))
        case .oversized, .tooLong:
            self.init(.answerOversized, reason, hint: Self.look(channel))
        case .tooDeep: self.init(.answerTooDeep, reason, hint: Self.look(channel))
        case .unrelated:
            self.init(
                .answerUnrelated, reason,
                hint:
                    "does another program talk on \(channel.name), or does the device need longer "
                    + "than [timeouts] of its platform file allow?")
        case .flooded(let frames, _, _):
            let isOfFrames = frames > SMPSession.Settings().maximumStrayFrames
            self.init(isOfFrames ? .frameFlood : .byteFlood, reason, hint: Self.look(channel))
        case .stalled: self.init(.transferStalled, reason, hint: Self.look(channel))
        case .status(.tooNew) where refusal == nil:
            self.init(
                .deviceRefused, reason, hint: "does it speak version 1 of SMP? --smp-version 1")
        case .status where refusal == nil:
            self.init(.deviceRefused, reason, hint: Self.look(channel))
        case .status, .group:
            self.init(
                .deviceRefused,
                refusal.map { "could not \(doing): the device says \"\($0)\"" } ?? reason,
                hint: Self.hint(for: refusal, channel))
        case .unsupportedVersion:
            self.init(
                .versionUnsupported, reason,
                hint: "update the device library in the firmware, or this tool")
        }
    }

    private static func hint(for refusal: DeviceError?, _ channel: any Channel) -> String {
        switch refusal {
        case .locked: "its credentials are write-once; flash it with --erase to begin anew"
        case .badLengthOrOffset: "does it reset in between? \(look(channel))"
        case .storageFull: "give it fewer with --credentials, or its firmware more flash pages"
        case .noSuchKey: "leave a --key-id away, or flash it with --erase to begin anew"
        case .keyExists: "flash it with --erase to begin anew, or choose another --key-id"
        case .noEntropy: "has the chip a random number generator, and does its firmware start it?"
        case .hashMismatch: "run it again: what was sent did not arrive whole"
        case .malformed, .unsupported:
            "update the device library in the firmware, or this tool: they speak differently"
        case .cryptoFailed, nil: look(channel)
        }
    }

    private static func look(_ channel: any Channel) -> String {
        // RTT's name is no argument; and where datagrams come, no console does.
        if channel.carriesDatagrams { return "is something else listening there?" }
        let port = channel.name.contains(" ") ? "" : " --port \(channel.name)"
        return "see what the device sends with provision attach\(port)"
    }
}
