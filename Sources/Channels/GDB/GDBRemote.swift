import CBOR
public import Provisioning

/// A client of the GDB Remote Serial Protocol, the door to a debug probe (OpenOCD, pyOCD, J-Link) or an
/// emulator. GDB manual, appendix "GDB Remote Serial Protocol".
///
/// A server may halt the core when a debugger connects, and leaves it halted when the connection just
/// ends. `close`, which also runs at the end of the object's life, detaches, so that it runs again.
///
/// Errors: `.probeUnavailable` when there is no server or it went silent or away; `.probeProtocol` when
/// it refuses or breaks the rules. Use it from one thread at a time.
public final class GDBRemote {
    public let name: String
    let channel: StreamChannel
    let replyTimeout: Duration

    private var decoder = GDBPacketDecoder(maximumLength: GDBRemote.maximumPacketLength)
    private var received: ArraySlice<UInt8> = []
    private(set) var acknowledges = true
    /// A request whose answer is still to come, and was acknowledged with it: see `resume(writing:at:)`.
    var unanswered: [UInt8]?

    /// Bytes of data that the server takes in one packet, between 64 and 16384.
    public private(set) var packetSize = 400
    /// Whether the core is stopped, as far as the protocol tells.
    public internal(set) var isHalted = true
    /// Whether connecting is what stopped it: the server said so unasked. Newer servers never say.
    public private(set) var wasRunningOnArrival = false

    /// Whether the server says what it is attached to.
    private(set) var describesTarget = false
    /// No answer is waited for beyond it, however many requests a piece of work takes.
    var limit = Deadline.never
    var takesBinaryWrites: Bool?
    /// Whether memory is read and written without halting the core: see `readsWhileRunning`.
    var leavesCoreRunning = false
    var continuesWithVCont = false
    private var isOpen = true
    private var unaskedStops = 0
    /// How long it took to agree, in a few requests that need no core.
    private(set) var negotiation = Duration.zero

    /// The longest packet that is accepted: servers announce at most 64 KiB.
    static let maximumPacketLength = 1 << 16
    /// How often a packet is sent again, or asked for again, after a bad checksum.
    static let maximumRepeats = 3
    /// Stop replies, notifications, acknowledgements and console output before one answer.
    static let maximumUnasked = 10_000
    /// Meaningless bytes between packets.
    static let maximumNoise = 4096

    /// Connects and agrees on packet size and acknowledgements.
    ///
    /// - Parameters:
    ///   - timeout: for the connection.
    ///   - replyTimeout: for each answer.
    ///   - untilListening: keep trying to connect: the server was only just started.
    public static func connect(
        to endpoint: ProbeEndpoint, within timeout: Duration = .seconds(5),
        replyTimeout: Duration = .seconds(5), untilListening: Bool = false,
        interruption: Interruption
    ) throws(ProvisioningError) -> GDBRemote {
        do {
            let descriptor = try Socket.connect(
                to: endpoint, within: timeout, untilListening: untilListening, interruption)
            let channel = try StreamChannel(
                descriptor: descriptor, name: endpoint.description, interruption: interruption)
            return try GDBRemote(channel: channel, replyTimeout: replyTimeout)
        } catch {
            guard error.code == .channelUnavailable else { throw error }
            throw ProvisioningError(
                .probeUnavailable, error.reason,
                hint: "start the probe's GDB server or the emulator first")
        }
    }

    /// Takes `channel` over and closes it in the end.
    public init(channel: StreamChannel, replyTimeout: Duration = .seconds(5))
        throws(ProvisioningError)
    {
        self.channel = channel
        self.replyTimeout = replyTimeout
        name = channel.name
        do {
            try negotiate()
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    /// Has the core run, and closes the connection. Idempotent; works after an interruption.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        channel.isShielded = true
        // Nobody is left to tell: a server that is gone needs no detaching. No time-out: nothing fails, and a run
        // that ends need not wait for as long as an answer may take.
        try? detach(within: min(replyTimeout, .seconds(2)))
        channel.close()
    }

    // MARK: Exchanging packets

    private func negotiate() throws(ProvisioningError) {
        let start = ContinuousClock.now
        defer { negotiation = start.duration(to: .now) }
        try send(raw: [UInt8(ascii: "+")])
        let features = try exchange("qSupported:vContSupported+")
        wasRunningOnArrival = unaskedStops > 0
        for feature in features.split(separator: UInt8(ascii: ";")) {
            let feature = String(decoding: feature, as: UTF8.self)
            if feature == "qXfer:features:read+" { describesTarget = true }
            if feature.hasPrefix("PacketSize=") {
                let digits = feature.dropFirst("PacketSize=".count)
                guard let size = UInt64(digits, radix: 16), size >= 64 else {
                    throw violation("a packet size of \(PlainText.sanitized(digits.utf8))")
                }
                packetSize = Int(min(size, 1 << 14))
            }
        }
        if features.split(separator: UInt8(ascii: ";")).contains(
            where: { $0.elementsEqual("QStartNoAckMode+".utf8) })
        {
            let answer = try exchange("QStartNoAckMode")
            if answer.elementsEqual("OK".utf8) { acknowledges = false }
        }
        let actions = try exchange("vCont?")
        continuesWithVCont = actions.split(separator: UInt8(ascii: ";")).contains(
            where: { $0.elementsEqual("c".utf8) })
    }

    /// Sends a request and returns its answer, which is empty if the server does not know the request.
    /// Stop replies that arrive before it were not asked for: QEMU sends one when it is connected to. Nor was
    /// what a server has to say of itself: OpenOCD complains so that it was kept from answering.
    func exchange(_ request: String) throws(ProvisioningError) -> [UInt8] {
        try exchange(Array(request.utf8))
    }

    /// - Parameter withOutput: whether a line of output is what the request asks for.
    func exchange(
        _ request: [UInt8], timeout: Duration? = nil, withOutput: Bool = false
    ) throws(ProvisioningError) -> [UInt8] {
        let packet = GDBPacket.encoded(request)
        try send(raw: packet)
        let deadline = Deadline(within: timeout ?? replyTimeout).earlier(of: limit)
        for _ in 0..<Self.maximumUnasked {
            let answer = try nextPacket(until: deadline, resending: packet, for: request)
            if !withOutput, Self.isOutput(answer) { continue }
            guard Self.isStopReply(answer) else { return answer }
            unaskedStops += 1
            isHalted = true
        }
        throw violation(Self.tooMuchUnasked)
    }

    /// - Throws: `.probeProtocol` unless the answer is `OK`.
    func command(_ request: String) throws(ProvisioningError) {
        try command(Array(request.utf8))
    }

    func command(_ request: [UInt8]) throws(ProvisioningError) {
        let answer = try exchange(request)
        guard answer.elementsEqual("OK".utf8) else {
            throw refused(Self.summary(request), answer)
        }
    }

    /// Waits for the `OK` that was acknowledged ahead, if one is still to come.
    func awaitAnswer(within timeout: Duration) throws(ProvisioningError) {
        guard let request = unanswered else { return }
        let deadline = Deadline(within: timeout).earlier(of: limit)
        for _ in 0..<Self.maximumUnasked {
            let answer = try nextPacket(until: deadline, resending: nil, for: request)
            if Self.isOutput(answer) || Self.isStopReply(answer) { continue }
            unanswered = nil
            guard answer.elementsEqual("OK".utf8) else {
                throw refused(Self.summary(request), answer)
            }
            return
        }
        throw violation(Self.tooMuchUnasked)
    }

    private static let tooMuchUnasked =
        "more than \(maximumUnasked) stop replies and lines of output"

    /// The next packet that is no notification, acknowledged unless it was ahead.
    func nextPacket(
        until deadline: Deadline, resending sent: [UInt8]?, for request: [UInt8]
    ) throws(ProvisioningError) -> [UInt8] {
        var repeats = 0
        var unasked = 0
        while unasked <= Self.maximumUnasked {
            switch try nextEvent(until: deadline, for: request) {
            case .acknowledged, .notification: unasked += 1
            case .notAcknowledged:
                guard let sent, repeats < Self.maximumRepeats else {
                    throw violation("it did not accept \(Self.summary(request))")
                }
                repeats += 1
                try send(raw: sent)
            case .packet(let data):
                if acknowledges, unanswered == nil { try send(raw: [UInt8(ascii: "+")]) }
                return data
            case .corrupt(let what):
                guard acknowledges, unanswered == nil, repeats < Self.maximumRepeats else {
                    unanswered = nil
                    throw violation("the answer to \(Self.summary(request)) is damaged: \(what)")
                }
                repeats += 1
                try send(raw: [UInt8(ascii: "-")])
            case .oversized:
                throw violation(
                    "the answer to \(Self.summary(request)) is longer than "
                        + "\(Self.maximumPacketLength) bytes")
            }
        }
        throw violation("more than \(Self.maximumUnasked) acknowledgements and notifications")
    }

    private func nextEvent(until deadline: Deadline, for request: [UInt8])
        throws(ProvisioningError) -> GDBPacketDecoder.Event
    {
        while true {
            if let event = decoder.decode(&received) { return event }
            guard decoder.noiseCount <= Self.maximumNoise else {
                throw violation("it sends something else than GDB's remote protocol")
            }
            // Where bytes are there a read ends at once, also behind its deadline: a server that sends
            // without end would never be found late.
            if !deadline.isPast {
                received = try onChannel { () throws(ProvisioningError) in
                    try channel.read(atMost: 1 << 16, within: deadline.remaining)
                }[...]
            }
            guard !received.isEmpty else {
                throw ProvisioningError(
                    .probeUnavailable, "\(name) did not answer \(Self.summary(request)) in time",
                    hint: "does another debugger hold the connection?")
            }
        }
    }

    func send(raw bytes: [UInt8]) throws(ProvisioningError) {
        try onChannel { () throws(ProvisioningError) in
            try channel.write(bytes, within: replyTimeout)
        }
    }

    /// Drops what arrived without being asked for, such as a second stop reply.
    ///
    /// - Returns: whether a stop reply was among it.
    func discardUnasked() throws(ProvisioningError) -> Bool {
        var hasStopped = false
        let deadline = Deadline(within: replyTimeout)
        repeat {
            while let event = decoder.decode(&received) {
                guard case .packet(let data) = event else { continue }
                hasStopped = hasStopped || Self.isStopReply(data)
                if acknowledges { try send(raw: [UInt8(ascii: "+")]) }
            }
            let bytes = try onChannel { () throws(ProvisioningError) in
                try channel.read(atMost: 1 << 16, within: .zero)
            }
            if bytes.isEmpty { return hasStopped }
            received = bytes[...]
        } while !deadline.isPast
        throw violation("it sends without end")
    }

    private func onChannel<Result>(_ body: () throws(ProvisioningError) -> Result)
        throws(ProvisioningError) -> Result
    {
        do {
            return try body()
        } catch {
            guard error.code == .channelClosed || error.code == .channelUnavailable else {
                throw error
            }
            throw ProvisioningError(
                .probeUnavailable, error.reason,
                hint: error.hint
                    ?? "is the probe still attached, and its server running? then run it again")
        }
    }

    // MARK: Errors

    func violation(_ what: String) -> ProvisioningError {
        ProvisioningError(
            .probeProtocol, "\(name): \(what)",
            hint: "is this the GDB server of a debug probe, and has it the right version?")
    }

    func refused(_ request: String, _ answer: [UInt8]) -> ProvisioningError {
        let text = answer.isEmpty ? "as unknown" : "with \(PlainText.sanitized(answer.prefix(80)))"
        return ProvisioningError(
            .probeProtocol, "\(name) refused \(request) \(text)",
            hint: "is this the board that --platform names, powered, and its memory not locked?")
    }

    /// `T05thread:01;`, `S05`, or the process ended: `W00`, `X0b`.
    static func isStopReply(_ packet: [UInt8]) -> Bool {
        guard let first = packet.first, "TSWX".utf8.contains(first), packet.count >= 3 else {
            return false
        }
        return packet[1...2].allSatisfy { $0.hexadecimalValue != nil }
    }

    /// `O` and text in hexadecimal, which no data are: their digits are even in number. An empty line of
    /// OpenOCD's log is the letter alone.
    static func isOutput(_ packet: [UInt8]) -> Bool {
        packet.first == UInt8(ascii: "O") && !packet.count.isMultiple(of: 2)
    }

    /// The request without its data, for messages.
    static func summary(_ request: [UInt8]) -> String {
        PlainText.sanitized(request.prefix { $0 != UInt8(ascii: ":") }.prefix(40))
    }
}
