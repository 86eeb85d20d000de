/// What a device sent, in the order in which it came.
public enum SerialFrameEvent: Hashable, Sendable {
    /// A message whose checksum fits.
    case message([UInt8])
    /// Log text between frames, unchanged; not cut at line ends.
    case text([UInt8])
    /// A frame that is lost.
    case damaged(SerialFrameDamage)
    /// A frame that announces a longer message than the decoder takes.
    case oversized(messageLength: Int)
}

public enum SerialFrameDamage: String, CaseIterable, Hashable, Sendable {
    case notBase64 = "not base64"
    case lineTooLong = "line too long"
    /// Another frame began before this one ended.
    case incomplete
    /// More bytes than the frame announced, or fewer than a checksum.
    case wrongLength = "wrong length"
    case wrongChecksum = "wrong checksum"
    /// A continuation of nothing.
    case noStart = "no start"
    /// Without the console framing: bytes that are no SMP message.
    case noHeader = "no header"
    /// Without the console framing: a message whose payload is no CBOR map.
    case notCBOR = "not CBOR"
}

/// Picks SMP frames out of a console's byte stream, in any cut, and bounds what it keeps.
///
/// Text goes through at once, save a byte that may open a marker. After damage the decoder goes on
/// at the next line or marker.
public struct SerialFrameDecoder: Sendable {
    private enum State {
        case text
        /// The first byte of a marker came.
        case marker(UInt8)
        case line
        /// In a line that is lost: so many bytes of it.
        case skipping(Int)
    }

    private let maximumMessageLength: Int
    private let maximumLineLength: Int
    private var state = State.text
    /// Base64 of the present line.
    private var line: [UInt8] = []
    /// Length, message and checksum so far; nil: no frame is open.
    private var packet: [UInt8]?
    /// Continuations belong to a frame that is given up already.
    private var isDiscarding = false
    private var text: [UInt8] = []
    private var events: [SerialFrameEvent] = []

    /// Both limits in bytes. Lines may be longer than this project's own: other senders' are.
    public init(maximumMessageLength: Int = 8192, maximumLineLength: Int = 1024) {
        self.maximumMessageLength = min(maximumMessageLength, SerialFrame.maximumMessageLength)
        self.maximumLineLength = maximumLineLength
    }

    /// Takes what arrived, 1 byte or many; gives what it means.
    public mutating func push(_ bytes: some Sequence<UInt8>) -> [SerialFrameEvent] {
        for byte in bytes { push(byte) }
        flushText()
        defer { events = [] }
        return events
    }

    /// Whether a frame has begun, is intact so far and has not ended.
    public var isInFrame: Bool { packet != nil }

    /// Gives up the frame that has begun: what still comes of it is neither frame nor text. False if
    /// there is none.
    public mutating func abandonFrame() -> Bool {
        guard isInFrame else { return false }
        packet = nil
        isDiscarding = true
        if case .line = state { state = .skipping(line.count) }
        return true
    }

    private mutating func push(_ byte: UInt8) {
        switch state {
        case .text: pushText(byte)
        case .marker(let first): pushMarker(byte, after: first)
        case .line: pushLine(byte)
        case .skipping(let count): skip(byte, count: count)
        }
    }

    private mutating func pushText(_ byte: UInt8) {
        if byte == SerialFrame.first[0] || byte == SerialFrame.continuation[0] {
            state = .marker(byte)
        } else {
            text.append(byte)
        }
    }

    private mutating func pushMarker(_ byte: UInt8, after first: UInt8) {
        switch [first, byte] {
        case SerialFrame.first:
            if packet != nil { emit(.damaged(.incomplete)) }
            isDiscarding = false
            packet = []
            begin()
        case SerialFrame.continuation:
            if packet != nil {
                begin()
            } else {
                if !isDiscarding { emit(.damaged(.noStart)) }
                isDiscarding = true
                state = .skipping(0)
            }
        default:
            text.append(first)
            state = .text
            pushText(byte)
        }
    }

    private mutating func begin() {
        line.removeAll(keepingCapacity: true)
        state = .line
    }

    private mutating func pushLine(_ byte: UInt8) {
        if byte == SerialFrame.lineFeed {
            state = .text
            endLine()
        } else if byte == SerialFrame.first[0] {
            // The line broke off without a line feed: this is the next frame.
            giveUp(.incomplete)
            state = .marker(byte)
        } else if line.last == SerialFrame.carriageReturn
            || !(Base64.isPart(byte) || byte == SerialFrame.carriageReturn)
        {
            giveUp(.notBase64)
            state = .skipping(line.count)
        } else if line.count >= maximumLineLength {
            giveUp(.lineTooLong)
            state = .skipping(0)
        } else {
            line.append(byte)
        }
    }

    private mutating func skip(_ byte: UInt8, count: Int) {
        if byte == SerialFrame.lineFeed {
            state = .text
        } else if byte == SerialFrame.first[0] {
            state = .marker(byte)
        } else if count >= maximumLineLength {
            // No line is that long: a marker by accident, and text since.
            state = .text
            pushText(byte)
        } else {
            state = .skipping(count + 1)
        }
    }

    private mutating func endLine() {
        guard var packet else { return }
        if line.last == SerialFrame.carriageReturn { line.removeLast() }
        guard let part = Base64.decode(line) else { return giveUp(.notBase64) }
        packet += part
        self.packet = packet
        guard packet.count >= 2 else { return }
        let length = Int(packet[0]) << 8 | Int(packet[1])
        guard length >= SerialFrame.checksumLength, packet.count <= 2 + length else {
            return giveUp(.wrongLength)
        }
        let messageLength = length - SerialFrame.checksumLength
        guard messageLength <= maximumMessageLength else {
            self.packet = nil
            isDiscarding = true
            return emit(.oversized(messageLength: messageLength))
        }
        if packet.count == 2 + length { endPacket(packet, messageLength: messageLength) }
    }

    private mutating func endPacket(_ packet: [UInt8], messageLength: Int) {
        let message = Array(packet[2..<2 + messageLength])
        let checksum = UInt16(packet[packet.count - 2]) << 8 | UInt16(packet[packet.count - 1])
        guard CRC16.checksum(message) == checksum else { return giveUp(.wrongChecksum) }
        self.packet = nil
        emit(.message(message))
    }

    private mutating func giveUp(_ damage: SerialFrameDamage) {
        packet = nil
        isDiscarding = true
        emit(.damaged(damage))
    }

    private mutating func emit(_ event: SerialFrameEvent) {
        flushText()
        events.append(event)
    }

    private mutating func flushText() {
        guard !text.isEmpty else { return }
        events.append(.text(text))
        text = []
    }
}
