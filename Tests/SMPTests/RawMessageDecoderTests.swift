import CBOR
import Testing

@testable import SMP

struct RawMessageDecoderTests {
    private func message(
        _ payload: CBORMap = ["off": 3], group: UInt16 = 66, sequence: UInt8 = 1,
        operation: SMPOperation = .readResponse
    ) throws -> [UInt8] {
        try SMPMessage(
            operation: operation, group: group, sequence: sequence, command: 2, payload: payload
        ).encoded()
    }

    private func events(
        _ bytes: [UInt8], cut: Int = .max, groups: Set<UInt16>? = [0, 66], limit: Int = 512
    ) -> [SerialFrameEvent] {
        var decoder = RawMessageDecoder(maximumMessageLength: limit)
        decoder.groups = groups
        var events: [SerialFrameEvent] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            events += decoder.push(rest.prefix(cut))
            rest = rest.dropFirst(cut)
        }
        return events + decoder.abandonFrame()
    }

    /// Messages one behind the other and noise between them, in each cut that equal pieces or two pieces
    /// can make.
    @Test func anyCutGivesTheSame() throws {
        let (first, second, third) = (
            try message(),
            try message(["data": .bytes([UInt8](0...199))], operation: .writeResponse),
            try message([:], group: 0)
        )
        let noise = Array("boot\r\n".utf8) + [0x09, 0x00, 0x01, 0x0B]
        let input = first + second + noise + third + [0x09]
        let expected: [SerialFrameEvent] = [
            .message(first), .message(second), .damaged(.noHeader), .message(third),
            .damaged(.noHeader),
        ]
        for cut in 1...input.count { #expect(events(input, cut: cut) == expected) }
        for length in 0...input.count {
            var decoder = RawMessageDecoder()
            decoder.groups = [0, 66]
            let both = decoder.push(input[..<length]) + decoder.push(input[length...])
            #expect(both + decoder.abandonFrame() == expected)
        }
    }

    @Test func whatZephyrSentIsRead() {
        for vector in RecordedVectors.zephyr where !vector.response.isEmpty {
            let response = hex(vector.response)
            for cut in 1...response.count {
                #expect(events(response, cut: cut, groups: nil) == [.message(response)])
            }
        }
    }

    /// A header by accident, which promises more than comes: the message in it is found when it is sure
    /// that nothing more comes, and not before.
    @Test func aFalseHeaderSwallowsNothing() throws {
        let good = try message()
        let falseHeader: [UInt8] = [0x09, 0, 0x01, 0x00, 0, 66, 7, 2]
        var decoder = RawMessageDecoder(maximumMessageLength: 512)
        decoder.groups = [66]
        #expect(decoder.push(falseHeader + [0xA1] + good) == [])
        #expect(decoder.isInFrame)
        #expect(decoder.abandonFrame() == [.damaged(.noHeader), .message(good)])
        #expect(!decoder.isInFrame)
        // And where enough comes, at once.
        let many = (0..<20).flatMap { _ in good }
        let found = events(falseHeader + [0xA1] + many, groups: [66])
        #expect(found.count { $0 == .message(good) } == 20)
        #expect(found.first == .damaged(.notCBOR))
    }

    /// Whichever byte a line loses, doubles or makes of nothing: the message that it is of may be damaged
    /// unnoticed, and take a byte of the next; the one behind that is whole.
    @Test func aLostByteCostsTwoMessagesAtMost() throws {
        let good = try message(["data": .bytes([UInt8](0..<60)), "off": 5])
        let (next, third) = (try message(sequence: 2), try message(sequence: 3))
        for index in good.indices {
            var lost = good
            lost.remove(at: index)
            #expect(events(lost + next + third).last == .message(third), "\(index)")
            var doubled = good
            doubled.insert(good[index], at: index)
            #expect(events(doubled + next + third).last == .message(third), "\(index)")
        }
        for noise in [0x00, 0x09, 0xFF] as [UInt8] {
            #expect(events(good + [noise] + next).last == .message(next))
        }
    }

    /// Each field of the header, damaged: what remains is no message, and none comes of it.
    @Test(
        arguments: [
            (0, 0x0A), (0, 0x08), (0, 0x29), (0, 0x11), (0, 0x0D), (1, 0x01), (4, 0x20), (5, 0x43),
            (8, 0x81), (8, 0x00), (8, 0xFF),
        ] as [(Int, UInt8)])
    func aHeaderMustLookLikeOne(_ index: Int, _ value: UInt8) throws {
        var bytes = try message()
        bytes[index] = value
        #expect(events(bytes) == [.damaged(.noHeader)])
    }

    @Test func lengthsAreBounded() throws {
        let empty: [UInt8] = [0x09, 0, 0, 0, 0, 66, 1, 2]
        #expect(events(empty) == [.damaged(.noHeader)])
        let long: [UInt8] = [0x09, 0, 0xFF, 0xFF, 0, 66, 1, 2]
        #expect(events(long + [0xA1]) == [.oversized(messageLength: 65_543)])
        #expect(events(long) == [.damaged(.noHeader)])
        let body = try message(["data": .bytes([UInt8](repeating: 7, count: 490))])
        #expect(events(body, limit: body.count) == [.message(body)])
        #expect(events(body, limit: body.count - 1).first == .oversized(messageLength: body.count))
    }

    /// What looks like a message and is none is counted each time: a flood of it ends a request.
    @Test func eachFalseMessageIsReported() {
        let bad: [UInt8] = [0x09, 0, 0, 2, 0, 66, 1, 2, 0xA1, 0x01]
        let found = events((0..<10).flatMap { _ in bad })
        #expect(found.count { $0 == .damaged(.notCBOR) } == 10)
    }

    @Test func noiseNeverTraps() {
        var state: UInt32 = 1
        let alphabet: [UInt8] = [0x09, 0x0B, 0x00, 0x00, 0x01, 0x42, 0xA0, 0xA1, 0xBF, 0xFF, 0x05]
        let noise = (0..<20_000).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return alphabet[Int(state >> 16) % alphabet.count]
        }
        #expect(events(noise, cut: 7, groups: nil) == events(noise, groups: nil))
    }
}
