import CBOR
import CBORJudge
import DeviceTestHAL
import SMP
import Testing

/// The host's real session and the real device, with a third party between them that says the same
/// in other words: keys that nobody knows, in any order, in any encoding, and log text between the
/// frames. cbor2 reads all that passes.
struct Relay {
    let judge: CBOR2
    let device = Device()
    var chance: SplitMix
    private(set) var messageCount = 0

    /// Octets of a message that the device takes, header included.
    private static let deviceMessageLength = 512

    init(judge: CBOR2, seed: Int) {
        self.judge = judge
        chance = SplitMix(state: UInt64(seed))
    }

    /// The answer as the host reads it; throws `SMPError` where the host has none.
    mutating func perform<Answer>(
        _ call: SMPCall<Answer>, version: SMPVersion = .v2
    ) throws -> Answer {
        var settings = SMPSession.Settings()
        settings.version = version
        settings.lineLength = Int.random(in: 20...SerialFrame.maximumLineLength, using: &chance)
        var session = SMPSession(settings: settings, firstSequence: UInt8(chance.next() & 0xFF))
        var effects = session.request(call.request, at: .zero)
        let sent = effects.flatMap { if case .send(let line) = $0 { line } else { [UInt8]() } }
        let request = try #require(try message(in: sent))
        let answer = device.send(
            try frame(try rephrased(request, limit: Self.deviceMessageLength)))
        let response = try #require(try message(in: answer), "the device is silent")
        effects += session.received(try frame(try rephrased(response, limit: 4096)), at: .zero)
        let results = effects.compactMap {
            if case .finished(let result) = $0 { result } else { nil }
        }
        return try call.answer(try #require(results.first).get())
    }

    /// All of what the device gives away in parts.
    mutating func perform(_ read: ChunkedRead) throws -> (data: [UInt8], digest: [UInt8]?) {
        var read = read
        while let call = read.next() { try read.accept(perform(call)) }
        return (try #require(read.data), read.digest)
    }

    mutating func perform(_ upload: CredentialUpload) throws {
        var upload = upload
        while let call = upload.next() { try upload.accept(expectedOffset: perform(call)) }
    }

    private func message(in bytes: [UInt8]) throws -> [UInt8]? {
        var decoder = SerialFrameDecoder()
        let messages = decoder.push(bytes).compactMap {
            if case .message(let message) = $0 { message } else { nil }
        }
        #expect(messages.count <= 1)
        return messages.first
    }

    private mutating func frame(_ message: [UInt8]) throws -> [UInt8] {
        let length = Int.random(in: 7...SerialFrame.maximumLineLength, using: &chance)
        let lines = try SerialFrame.lines(of: message, lineLength: length)
        let texts = ["", "", "\r\n", "I: 10:42 \u{e9}\n", "> "].map { Array($0.utf8) }
        return lines.flatMap { line -> [UInt8] in
            let isReturned = Bool.random(using: &chance)
            return texts.randomElement(using: &chance)!
                + (isReturned ? line.dropLast() + [0x0D, 0x0A] : line)
        }
    }

    /// Another encoding of the same message, and no longer than `limit`.
    private mutating func rephrased(_ message: [UInt8], limit: Int) throws -> [UInt8] {
        messageCount += 1
        let header = try #require(SMPHeader(message))
        let body = message.dropFirst(SMPHeader.byteCount)
        let payload = try #require(try CBORValue.decode(body).map)
        #expect(try judge.deterministic(Array(body)) == CBORValue.map(payload).encoded())
        for attempt in 0..<8 {
            var extended = payload
            let extraCount = max(0, 3 - attempt)
            for _ in 0..<Int.random(in: 0...extraCount, using: &chance) {
                extended[chance.unknownKey()] = chance.anyValue(depth: 2)
            }
            let encoding = CBORValue.map(extended).variant(using: &chance)
            guard encoding.count + SMPHeader.byteCount <= limit else { continue }
            #expect(try judge.deterministic(encoding) == CBORValue.map(extended).encoded())
            var header = header
            header.length = UInt16(encoding.count)
            return header.encoded() + encoding
        }
        return message
    }
}

extension SplitMix {
    mutating func bytes(_ counts: ClosedRange<Int>) -> [UInt8] {
        // The ends of the range as often as all between them.
        let ends = [counts.lowerBound, counts.upperBound]
        let count =
            Bool.random(using: &self)
            ? ends.randomElement(using: &self)! : Int.random(in: counts, using: &self)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Any number of 32 bits; where its encoding changes its length as often as elsewhere.
    mutating func number() -> UInt32 {
        let edges: [UInt32] = [
            0, 1, 23, 24, 255, 256, 65535, 65536, 0x3FFF_FFFF, 0x4000_0000, 0x7FFF_FFFF,
            0x8000_0000, .max,
        ]
        return Bool.random(using: &self)
            ? edges.randomElement(using: &self)!
            : UInt32(truncatingIfNeeded: next() >> UInt64.random(in: 32..<64, using: &self))
    }

    mutating func text(_ counts: ClosedRange<Int>) -> String {
        let length = bytes(counts).count
        var text = ""
        while text.utf8.count < length {
            text.append(["a", "Z", "-", " ", "é", "水", "𐅑"].randomElement(using: &self)!)
        }
        while text.utf8.count > length { text.removeLast() }
        return text.isEmpty && counts.lowerBound > 0 ? "b" : text
    }

    /// No key of the contract.
    mutating func unknownKey() -> CBORValue {
        switch Int.random(in: 0..<4, using: &self) {
        case 0: .unsigned(next())
        case 1: .negative(next() >> 1)
        case 2: .bytes(bytes(0...5))
        default: .text("x" + text(0...30))
        }
    }

    /// Any value, with keys that Python can tell apart.
    mutating func anyValue(depth: Int) -> CBORValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
        case 0: return .unsigned(next())
        case 1: return .negative(next())
        case 2: return .bytes(bytes(0...30))
        case 3: return .text(text(0...30))
        case 4: return .simple([0, 19, 20, 21, 22, 23, 32, 255].randomElement(using: &self)!)
        case 5: return .float(Double(Int64(bitPattern: next())) / 1024)
        case 6: return .tagged(next(), anyValue(depth: depth - 1))
        case 7:
            let count = Int.random(in: 0...3, using: &self)
            return .array((0..<count).map { _ in anyValue(depth: depth - 1) })
        default:
            var map = CBORMap()
            for _ in 0..<Int.random(in: 0...3, using: &self) {
                map[unknownKey()] = anyValue(depth: depth - 1)
            }
            return .map(map)
        }
    }
}
