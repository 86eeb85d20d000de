import CBOR

/// Splits what a GDB server sends into packets, however it arrives. GDB manual, "Overview" of the
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

    /// Takes bytes until something is complete. Nil: it took all, and nothing is.
    package mutating func decode(_ bytes: inout ArraySlice<UInt8>) -> Event? {
        while true {
            if case .data = state { takePlain(&bytes) }
            guard let byte = bytes.popFirst() else { return nil }
            if let event = decode(byte) { return event }
        }
    }

    /// Data up to the next byte that is more than itself, at once: memory comes as thousands of digits.
    private mutating func takePlain(_ bytes: inout ArraySlice<UInt8>) {
        let plain = bytes.prefix(maximumLength - data.count).prefix { !GDBPacket.isSpecial($0) }
        for byte in plain { sum &+= byte }
        data += plain
        bytes = bytes[plain.endIndex...]
    }

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
            guard let digit = byte.hexadecimalValue else { return corrupt(byte) }
            state = .checksumLow(digit)
        case .checksumLow(let high):
            guard let low = byte.hexadecimalValue else { return corrupt(byte) }
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
                "its checksum is \([checksum].hexadecimal), not "
                    + [sum].hexadecimal)
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
        return packet + Array([sum].hexadecimal.utf8)
    }

    static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "}"), UInt8(ascii: "*"): true
        default: false
        }
    }
}
