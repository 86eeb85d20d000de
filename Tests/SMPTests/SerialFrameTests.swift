import SMP
import Testing

struct SerialFrameTests {
    private func events(
        _ bytes: [UInt8], cut: Int = .max, maximumMessageLength: Int = 8192,
        maximumLineLength: Int = 1024
    ) -> [SerialFrameEvent] {
        var decoder = SerialFrameDecoder(
            maximumMessageLength: maximumMessageLength, maximumLineLength: maximumLineLength)
        var rest = bytes[...]
        var events: [SerialFrameEvent] = []
        while !rest.isEmpty {
            events += decoder.push(rest.prefix(cut))
            rest = rest.dropFirst(cut)
        }
        return joiningText(events)
    }

    /// Where text is cut depends on how it arrives.
    private func joiningText(_ events: [SerialFrameEvent]) -> [SerialFrameEvent] {
        events.reduce(into: []) { joined, event in
            if case .text(let more) = event, case .text(let text)? = joined.last {
                joined[joined.count - 1] = .text(text + more)
            } else {
                joined.append(event)
            }
        }
    }

    private func frame(_ message: [UInt8], lineLength: Int = 127) throws -> [UInt8] {
        try SerialFrame.lines(of: message, lineLength: lineLength).flatMap { $0 }
    }

    private func text(_ text: String) -> SerialFrameEvent { .text(Array(text.utf8)) }

    @Test(arguments: RecordedVectors.client)
    func framesAsTheOthersDo(_ vector: RecordedVectors.Framed) throws {
        let lines = try SerialFrame.lines(
            of: hex(vector.message), lineLength: vector.lineLength)
        #expect(lines.flatMap { $0 } == hex(vector.frame))
        #expect(lines.allSatisfy { $0.count <= vector.lineLength })
        #expect(events(hex(vector.frame)) == [.message(hex(vector.message))])
    }

    @Test(arguments: RecordedVectors.zephyr)
    func readsWhatZephyrSent(_ vector: RecordedVectors.Dialogue) throws {
        let expected: [SerialFrameEvent] =
            vector.response.isEmpty ? [] : [.message(hex(vector.response))]
        for cut in 1...8 {
            #expect(events(hex(vector.responseFrame), cut: cut) == expected)
        }
    }

    @Test func helloWorldOfTheReference() throws {
        let message = Array("Hello, world!".utf8)
        #expect(try frame(message) == [6, 9] + Array("AA9IZWxsbywgd29ybGQhet4=\n".utf8))
        let lines = try SerialFrame.lines(of: message, lineLength: 8)
        #expect(lines.first == [6, 9] + Array("AA9I\n".utf8))
        #expect(lines.dropFirst().first == [4, 0x14] + Array("ZWxs\n".utf8))
        #expect(lines.last == [4, 0x14] + Array("et4=\n".utf8))
    }

    /// Frames among text, in each cut that two pieces or equal pieces can make.
    @Test func anyCutGivesTheSame() throws {
        let long = (0..<200).map { UInt8($0) }
        let input =
            Array("boot\r\n\u{1}".utf8) + (try frame([1, 2, 3])) + Array("half".utf8)
            + (try frame(long)) + [6, 0x41, 4] + (try frame([])) + Array("end\n".utf8)
        let expected = [
            text("boot\r\n\u{1}"), .message([1, 2, 3]), text("half"), .message(long),
            .text([6, 0x41, 4]), .message([]), text("end\n"),
        ]
        for cut in 1...input.count { #expect(events(input, cut: cut) == expected) }
        for length in 0...input.count {
            var decoder = SerialFrameDecoder()
            let both = decoder.push(input[..<length]) + decoder.push(input[length...])
            #expect(joiningText(both) == expected)
        }
    }

    @Test func textGoesThroughAtOnce() {
        var decoder = SerialFrameDecoder()
        #expect(decoder.push(Array("> ".utf8)) == [text("> ")])
        #expect(decoder.push([6]) == [])
        #expect(decoder.push([6]) == [.text([6])])
        #expect(decoder.push([0x41]) == [.text([6, 0x41])])
    }

    @Test func textMayStandBetweenTheLinesOfAFrame() throws {
        let lines = try SerialFrame.lines(of: [UInt8](repeating: 7, count: 200))
        let input = lines[0] + Array("I: busy\n".utf8) + lines[1] + lines[2]
        #expect(
            events(input) == [text("I: busy\n"), .message([UInt8](repeating: 7, count: 200))])
    }

    @Test func carriageReturnsAreTaken() throws {
        let input = try frame([1, 2]).dropLast() + [0x0D, 0x0A]
        #expect(events(Array(input)) == [.message([1, 2])])
        // Only one, and only at the end.
        let inside = try frame([1, 2]).dropLast() + [0x0D, 0x0D, 0x0A]
        #expect(events(Array(inside)) == [.damaged(.notBase64)])
    }

    @Test func aBrokenFrameDoesNotTakeTheNextOneAlong() throws {
        let good = try frame([1, 2, 3])
        for length in 2..<good.count - 1 {
            let broken = Array(good.prefix(length))
            #expect(events(broken + good).last == .message([1, 2, 3]))
            #expect(events(broken + [0x0A] + good).last == .message([1, 2, 3]))
            #expect(events(broken + Array("\0I: log".utf8) + good).last == .message([1, 2, 3]))
        }
    }

    @Test func aFlippedBitNeverGivesAnotherMessage() throws {
        let message: [UInt8] = (0..<120).map { UInt8($0) }
        let good = try frame(message)
        for bit in 0..<good.count * 8 {
            var damaged = good
            damaged[bit / 8] ^= 1 << (bit % 8)
            for case .message(let other) in events(damaged) { #expect(other == message) }
        }
    }

    @Test func damageIsNamedOnce() throws {
        let lines = try SerialFrame.lines(of: [UInt8](repeating: 7, count: 300))
        let rest = lines[2] + lines[3]
        #expect(
            events(lines[0] + rest + (try frame([5]))) == [.damaged(.incomplete), .message([5])])
        #expect(events(lines[1] + rest) == [.damaged(.noStart)])
        #expect(events([6, 9] + Array("A!AA\n".utf8) + rest) == [.damaged(.notBase64)])
        #expect(events([6, 9] + Array("AAA\n".utf8) + rest) == [.damaged(.notBase64)])
        #expect(events([6, 9] + Array("AAE=\n".utf8) + rest) == [.damaged(.wrongLength)])
        #expect(events([6, 9] + Array("AAIAAAAA\n".utf8) + rest) == [.damaged(.wrongLength)])
        #expect(events([6, 9] + Array("AANBAAAA\n".utf8) + rest) == [.damaged(.wrongLength)])
        #expect(events([6, 9] + Array("AANB//8=\n".utf8) + rest) == [.damaged(.wrongChecksum)])
        #expect(
            events(lines[0] + (try frame([5]))) == [.damaged(.incomplete), .message([5])])
        #expect(
            events(lines[0] + (try frame([5])), maximumLineLength: 100)
                == [.damaged(.lineTooLong), .message([5])])
    }

    @Test func goodFramesEndTheSilenceAfterDamage() throws {
        let lone = Array("\u{4}\u{14}AAAA\n".utf8)
        let input = lone + lone + (try frame([5])) + lone
        #expect(
            events(input) == [.damaged(.noStart), .message([5]), .damaged(.noStart)])
    }

    /// A digit that differs only in bits which carry nothing is damage all the same.
    @Test func spareBitsAreZero() throws {
        var line = try frame([1])
        let last = line.count - 3
        #expect(line[last + 1] == UInt8(ascii: "="))
        line[last] += 1
        #expect(events(line) == [.damaged(.notBase64)])
    }

    @Test func oversizedIsReportedOnce() throws {
        let input = try frame([UInt8](repeating: 7, count: 513)) + frame([5])
        #expect(
            events(input, maximumMessageLength: 512)
                == [.oversized(messageLength: 513), .message([5])])
        #expect(events(input, maximumMessageLength: 513).count == 2)
        let announced = [6, 9] + Array("//9B\n".utf8)
        #expect(events(announced) == [.oversized(messageLength: 65533)])
    }

    /// A marker by accident in a stream without line feeds costs a line's length of text.
    @Test func endlessLinesAreBounded() {
        let input = [6, 9] + [UInt8](repeating: 0x41, count: 100_000)
        let result = events(input, cut: 1000)
        #expect(result.first == .damaged(.lineTooLong))
        guard case .text(let text)? = result.last else {
            Issue.record("no text in \(result.count) events")
            return
        }
        #expect(text.count > 97_000)
    }

    @Test func tooLongMessagesAreNotSent() throws {
        let longest = [UInt8](repeating: 1, count: 65533)
        #expect(
            try events(frame(longest), maximumMessageLength: .max) == [.message(longest)])
        #expect(throws: SMPError.tooLong(byteCount: 65534, limit: 65533)) {
            try SerialFrame.lines(of: longest + [1])
        }
    }

    @Test func noiseNeverTraps() {
        var state: UInt32 = 1
        var noise: [UInt8] = []
        let alphabet: [UInt8] = [6, 9, 4, 0x14, 0x0A, 0x0D, 0x3D] + Array("AAAAQUJ/+9z!".utf8)
        for _ in 0..<50_000 {
            state = state &* 1_664_525 &+ 1_013_904_223
            noise.append(alphabet[Int(state >> 16) % alphabet.count])
        }
        #expect(events(noise, cut: 7) == events(noise))
        #expect(events(noise).contains(.damaged(.notBase64)))
    }
}
