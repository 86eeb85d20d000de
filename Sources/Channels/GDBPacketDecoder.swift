/// Splits what a GDB server sends into packets, one byte at a time. GDB manual, "Overview" of the
/// Remote Serial Protocol: `$data#cs`, `}` escapes, `*` repeats, `%` notifies.
package struct GDBPacketDecoder {
    package enum Event: Equatable {
        case acknowledged
        case notAcknowledged
        /// The data, with escapes and repeats undone.
        case packet([UInt8])
        case notification([UInt8])
        /// The checksum is wrong or the data malformed. Told apart for the message.
        case corrupt(String)
        /// More than `maximumLength` bytes: told once, the rest of the packet is skipped.
        case oversized
    }

    /// Bytes of data in a packet, after undoing repeats.
    let maximumLength: Int

    private enum State {
        case idle, data, escape, repetition, checksumHigh, checksumLow(UInt8)
        case skipping
    }

    private var state = State.idle
    private var isNotification = false
    private var data: [UInt8] = []
    private var sum: UInt8 = 0
    private var isMalformed = false
    /// Bytes between packets that mean nothing.
    private(set) var noiseCount = 0

    package init(maximumLength: Int) { self.maximumLength = maximumLength }

    package mutating func decode(_ byte: UInt8) -> Event? {
        switch state {
        case .idle: return idle(byte)
        case .data: return inData(byte)
        case .escape, .repetition:
            // Neither is ever escaped or counted: the packet ends too early.
            if byte == UInt8(ascii: "#") || byte == UInt8(ascii: "$") {
                isMalformed = true
                return inData(byte)
            }
            if case .repetition = state { return repeatLast(byte) }
            state = .data
            sum &+= byte
            return append(byte ^ 0x20)
        case .checksumHigh:
            guard let digit = Hexadecimal.value(of: byte) else { return corrupt(byte) }
            state = .checksumLow(digit)
        case .checksumLow(let high):
            guard let low = Hexadecimal.value(of: byte) else { return corrupt(byte) }
            return finish(checksum: high << 4 | low)
        case .skipping:
            if byte == UInt8(ascii: "#") { state = .idle }
        }
        return nil
    }

    private mutating func idle(_ byte: UInt8) -> Event? {
        switch byte {
        case UInt8(ascii: "+"): return .acknowledged
        case UInt8(ascii: "-"): return .notAcknowledged
        case UInt8(ascii: "$"), UInt8(ascii: "%"): start(byte)
        default: noiseCount += 1
        }
        return nil
    }

    private mutating func start(_ byte: UInt8) {
        isNotification = byte == UInt8(ascii: "%")
        data.removeAll(keepingCapacity: true)
        sum = 0
        isMalformed = false
        state = .data
    }

    private mutating func inData(_ byte: UInt8) -> Event? {
        switch byte {
        case UInt8(ascii: "#"):
            state = .checksumHigh
            return nil
        case UInt8(ascii: "$"):
            // The rest of the packet before was lost: only `#` and `$` never occur in data.
            start(byte)
            return .corrupt("a packet broke off")
        case UInt8(ascii: "}"): state = .escape
        case UInt8(ascii: "*"): state = .repetition
        default:
            sum &+= byte
            return append(byte)
        }
        sum &+= byte
        return nil
    }

    private mutating func repeatLast(_ byte: UInt8) -> Event? {
        sum &+= byte
        state = .data
        // The count is a printable character: 3 to 97 more, as the count plus 29.
        guard let last = data.last, (0x20...0x7e).contains(byte) else {
            isMalformed = true
            return nil
        }
        for _ in 0..<(Int(byte) - 29) {
            if let event = append(last) { return event }
        }
        return nil
    }

    private mutating func append(_ byte: UInt8) -> Event? {
        guard data.count < maximumLength else {
            state = .skipping
            return .oversized
        }
        data.append(byte)
        return nil
    }

    private mutating func finish(checksum: UInt8) -> Event {
        state = .idle
        guard checksum == sum else {
            return .corrupt(
                "its checksum is \(Hexadecimal.text(checksum)), not "
                    + Hexadecimal.text(sum))
        }
        if isMalformed { return .corrupt("it repeats nothing or out of range") }
        return isNotification ? .notification(data) : .packet(data)
    }

    private mutating func corrupt(_ byte: UInt8) -> Event {
        state = .idle
        if byte == UInt8(ascii: "$") { start(byte) }
        return .corrupt("its checksum is not hexadecimal")
    }
}

/// What goes to a GDB server.
package enum GDBPacket {
    /// `$data#cs`, with `#`, `$`, `}` and `*` escaped.
    package static func encoded(_ data: some Sequence<UInt8>) -> [UInt8] {
        var packet: [UInt8] = [UInt8(ascii: "$")]
        var sum: UInt8 = 0
        func append(_ byte: UInt8) {
            packet.append(byte)
            sum &+= byte
        }
        for byte in data {
            if isSpecial(byte) { append(UInt8(ascii: "}")) }
            append(isSpecial(byte) ? byte ^ 0x20 : byte)
        }
        packet.append(UInt8(ascii: "#"))
        return packet + Array(Hexadecimal.text(sum).utf8)
    }

    static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "}"), UInt8(ascii: "*"): true
        default: false
        }
    }
}

enum Hexadecimal {
    static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// Two digits.
    static func text(_ byte: UInt8) -> String {
        String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: digits(bytes), as: UTF8.self)
    }

    static func digits(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let alphabet = Array("0123456789abcdef".utf8)
        var digits: [UInt8] = []
        for byte in bytes {
            digits.append(alphabet[Int(byte >> 4)])
            digits.append(alphabet[Int(byte & 15)])
        }
        return digits
    }

    /// Nil unless all are digits and their number is even.
    static func bytes(_ digits: some Collection<UInt8>) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            guard let value = Self.value(of: digit) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }

    /// `0x` and at least one digit.
    static func address(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }
}
