internal import CBOR

/// Picks SMP responses out of a stream that holds nothing else, in any cut, and bounds what it keeps.
///
/// A message's length stands in its header and nowhere else, and there is no checksum: one byte too few
/// or too many, and what follows is no header. So a header must look like one (reserved bits and flags
/// are zero, it answers a read or a write, its group is one of those that were asked, the length is
/// within bounds, a map follows), and the payload must be one CBOR map. Where something is not so, the
/// search goes on one byte behind the place where it began, in what has already come: a false header
/// swallows nothing. One that waits for bytes which never come is ended by `abandonFrame`, after a
/// silence.
public struct RawMessageDecoder: Sendable {
    /// Groups that may answer; nil: any.
    public var groups: Set<UInt16>?

    private let maximumMessageLength: Int
    /// What may be the beginning of a message.
    private var pending: [UInt8] = []
    /// Whether noise since the latest message was reported.
    private var isInNoise = false
    private var events: [SerialFrameEvent] = []

    /// - Parameter maximumMessageLength: bytes, the header's included.
    public init(maximumMessageLength: Int = 8192) {
        self.maximumMessageLength = maximumMessageLength
    }

    /// Takes what arrived, 1 byte or many; gives what it means: never `.text`. Noise is reported once
    /// until the next message, something that looked like a message until it was whole each time.
    public mutating func push(_ bytes: some Sequence<UInt8>) -> [SerialFrameEvent] {
        pending += bytes
        return search(atEnd: false)
    }

    /// Whether something has begun that may be a message.
    public var isInFrame: Bool { !pending.isEmpty }

    /// Nothing more comes of what has begun: it was none, but what it held may have been.
    public mutating func abandonFrame() -> [SerialFrameEvent] {
        defer { isInNoise = false }
        return search(atEnd: true)
    }

    private enum Finding {
        case noMessage
        case unfinished
        case oversized(Int)
        /// So many bytes, which are not all that a message is.
        case damaged
        case message(Int)
    }

    private mutating func search(atEnd: Bool) -> [SerialFrameEvent] {
        var start = 0
        search: while start < pending.count {
            switch finding(pending[start...]) {
            case .message(let length):
                events.append(.message(Array(pending[start..<start + length])))
                isInNoise = false
                start += length
                continue
            case .unfinished where !atEnd: break search
            case .unfinished, .noMessage:
                if !isInNoise { events.append(.damaged(.noHeader)) }
            case .oversized(let length): events.append(.oversized(messageLength: length))
            case .damaged: events.append(.damaged(.notCBOR))
            }
            isInNoise = true
            start += 1
        }
        pending.removeFirst(start)
        defer { events = [] }
        return events
    }

    private func finding(_ bytes: ArraySlice<UInt8>) -> Finding {
        guard Self.mayBegin(bytes) else { return .noMessage }
        let head = Array(bytes.prefix(SMPHeader.byteCount + 1))
        guard head.count >= SMPHeader.byteCount else { return .unfinished }
        guard let header = SMPHeader(head), header.length > 0,
            groups?.contains(header.group) ?? true
        else { return .noMessage }
        let length = SMPHeader.byteCount + Int(header.length)
        // Not before it can be told from noise as surely as any other.
        guard length <= maximumMessageLength else {
            return head.count > SMPHeader.byteCount ? .oversized(length) : .unfinished
        }
        guard bytes.count >= length else { return .unfinished }
        let payload = try? CBORValue.decode(bytes.dropFirst(SMPHeader.byteCount).prefix(length - 8))
        return payload?.map == nil ? .damaged : .message(length)
    }

    /// Whether a response may begin with `bytes`, as far as they are there. Asked of each byte of a flood.
    private static func mayBegin(_ bytes: ArraySlice<UInt8>) -> Bool {
        let start = bytes.startIndex
        switch bytes[start] {
        // Versions 1 and 2 of the answers to a read and a write, see `SMPHeader`.
        case 0x01, 0x03, 0x09, 0x0B: break
        default: return false
        }
        if bytes.count > 1, bytes[start + 1] != 0 { return false }
        // RFC 8949 §3.1: major type 5.
        let payload = start + SMPHeader.byteCount
        return payload >= bytes.endIndex || bytes[payload] >> 5 == 5
    }
}
