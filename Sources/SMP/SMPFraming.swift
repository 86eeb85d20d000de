/// How SMP messages lie on a channel.
public enum SMPFraming: String, CaseIterable, Hashable, Sendable {
    /// Base64 lines with a checksum, among log text: ``SerialFrame``.
    case console
    /// Messages and nothing else, one behind the other: ``RawMessageDecoder``.
    /// Zephyr's CONFIG_MCUMGR_TRANSPORT_RAW_UART.
    case raw
    /// One message in each datagram, as over UDP. What carries it has a checksum.
    case datagram

    /// Whether the device's log may stand between the messages.
    public var carriesText: Bool { self == .console }
    /// Whether a message that was damaged on its way can pass for one that was not.
    public var isUnchecked: Bool { self == .raw }
}

/// What finds the messages in what arrives.
enum FrameReader: Sendable {
    case console(SerialFrameDecoder)
    case raw(RawMessageDecoder)
    case datagram(maximumMessageLength: Int)

    init(_ framing: SMPFraming, maximumMessageLength: Int) {
        switch framing {
        case .console:
            self = .console(SerialFrameDecoder(maximumMessageLength: maximumMessageLength))
        case .raw:
            self = .raw(RawMessageDecoder(maximumMessageLength: maximumMessageLength))
        case .datagram: self = .datagram(maximumMessageLength: maximumMessageLength)
        }
    }

    /// Answers come from this group, or from SMP's own: where nothing but the header tells a message from
    /// noise, it has to fit.
    mutating func expect(group: UInt16) {
        guard case .raw(var decoder) = self else { return }
        decoder.groups = [OSGroup.number, group]
        self = .raw(decoder)
    }

    mutating func push(_ bytes: [UInt8]) -> [SerialFrameEvent] {
        switch self {
        case .console(var decoder):
            self = .datagram(maximumMessageLength: 0)  // So that the decoder is not copied.
            defer { self = .console(decoder) }
            return decoder.push(bytes)
        case .raw(var decoder):
            self = .datagram(maximumMessageLength: 0)
            defer { self = .raw(decoder) }
            return decoder.push(bytes)
        case .datagram(let maximumLength): return [Self.event(bytes, maximumLength)]
        }
    }

    /// Whether a message has begun and not ended.
    var isInFrame: Bool {
        switch self {
        case .console(let decoder): decoder.isInFrame
        case .raw(let decoder): decoder.isInFrame
        case .datagram: false
        }
    }

    /// What has begun does not go on; what that says about the bytes that came.
    mutating func abandonFrame() -> [SerialFrameEvent] {
        switch self {
        case .console(var decoder):
            _ = decoder.abandonFrame()
            self = .console(decoder)
            return []
        case .raw(var decoder):
            defer { self = .raw(decoder) }
            return decoder.abandonFrame()
        case .datagram: return []
        }
    }

    private static func event(_ datagram: [UInt8], _ maximumLength: Int) -> SerialFrameEvent {
        guard let header = SMPHeader(datagram) else { return .damaged(.noHeader) }
        let length = SMPHeader.byteCount + Int(header.length)
        guard max(length, datagram.count) <= maximumLength else {
            return .oversized(messageLength: max(length, datagram.count))
        }
        return length == datagram.count ? .message(datagram) : .damaged(.wrongLength)
    }
}
