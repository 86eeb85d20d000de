import BadLine
import CBOR
import DeviceProvisioning
import DeviceTestHAL
import SMP
import Testing

extension DeviceTests {
    /// The device where SMP messages have no framing of their own.
    @Suite struct RawFramingTests {
        private static let echo = hexadecimal("0a00000600000700a16164626869")
        private static let echoed = hexadecimal("0b00000600000700a16172626869")

        private static func hexadecimal(_ text: String) -> [UInt8] {
            stride(from: 0, to: text.count, by: 2).map { offset in
                let start = text.index(text.startIndex, offsetBy: offset)
                return UInt8(text[start..<text.index(start, offsetBy: 2)], radix: 16)!
            }
        }

        private static func output() -> [UInt8] {
            var length = 0
            let output = test_output_take(&length)
            return Array(UnsafeBufferPointer(start: output, count: length))
        }

        /// What the device answers to bytes of a stream.
        private func send(_ bytes: [UInt8]) -> [UInt8] {
            for byte in bytes { dp_receive_raw(byte) }
            return Self.output()
        }

        private func send(datagram: [UInt8]) -> [UInt8] {
            datagram.withUnsafeBufferPointer { dp_receive_datagram($0.baseAddress, $0.count) }
            return Self.output()
        }

        private func blank() {
            _ = Device.blank()
            dp_receive_pause()
        }

        @Test func messagesFollowOneAnother() {
            blank()
            // The answer to the first is out before the second is whole.
            for _ in 0..<3 { #expect(send(Self.echo) == Self.echoed) }
            #expect(send(datagram: Self.echo) == Self.echoed)
        }

        @Test func whatIsNoMessageIsSkipped() {
            blank()
            for noise in [
                [0x0A], [0xFF], [0x0A, 0, 0xFF, 0xFF], [0x08, 1], [0, 0, 0, 0], Self.echoed,
                Array("boot\r\n".utf8),
            ] as [[UInt8]] {
                #expect(send(noise) == [])
                #expect(send(Self.echo) == Self.echoed, "\(noise)")
            }
        }

        /// One byte lost, doubled or of nothing: the request itself may be lost, and the next as long as its
        /// length was, but no more.
        @Test func aLostByteCostsFewRequests() {
            for index in Self.echo.indices {
                var lost = Self.echo
                lost.remove(at: index)
                var doubled = Self.echo
                doubled.insert(Self.echo[index], at: index)
                for damaged in [lost, doubled] {
                    blank()
                    let answers = (0..<40).map { _ in send(Self.echo) }
                    #expect(answers.allSatisfy { $0 == Self.echoed })
                    _ = send(damaged)
                    let found = (0..<40).map { _ in send(Self.echo) }
                    #expect(found.last == Self.echoed, "\(index)")
                }
            }
        }

        /// What looked like a request until it was whole is none, and gets no answer; the one that it took the
        /// beginning of is found in it.
        @Test func aFalseHeaderSwallowsNothing() {
            // Of 3 octets it is a map, {10: 0}, and a request like any other.
            for length in 1...Self.echo.count where length != 3 {
                blank()
                let falseHeader: [UInt8] = [0x0A, 0, 0, UInt8(length), 0, 0, 1, 0, 0xA1]
                let answers = send(falseHeader + Self.echo)
                #expect(answers == Self.echoed, "\(length)")
            }
        }

        /// A pause ends what has begun at once.
        @Test func aPauseEndsAFalseHeader() {
            blank()
            #expect(send([0x0A, 0, 0x01, 0xF0, 0, 0, 1, 0, 0xA1] + Self.echo) == [])
            dp_receive_pause()
            #expect(send(Self.echo) == Self.echoed)
        }

        /// The longest message, and one byte more.
        @Test func messagesAreBounded() throws {
            blank()
            func echo(_ count: Int) throws -> [UInt8] {
                try SMPMessage(
                    operation: .write, group: 0, sequence: 1, command: 0,
                    payload: ["d": .text(String(repeating: "x", count: count))]
                ).encoded()
            }
            let longest = try echo(512 - 8 - 6)
            #expect(longest.count == 512)
            #expect(send(longest).count == 512)
            #expect(send(datagram: longest).count == 512)
            let tooLong = try echo(512 - 8 - 5)
            #expect(send(tooLong) == [])
            #expect(send(datagram: tooLong) == [])
            dp_receive_pause()
            #expect(send(Self.echo) == Self.echoed)
        }

        /// A datagram is one message: anything else is corrupt, or none.
        @Test func aDatagramIsOneMessage() {
            blank()
            let corrupt = Self.hexadecimal("0b00000500000700a1627263") + [9]
            #expect(send(datagram: Array(Self.echo.dropLast())) == corrupt)
            #expect(send(datagram: Self.echo + [0]) == corrupt)
            #expect(send(datagram: Array(Self.echo.prefix(7))) == [])
            #expect(send(datagram: []) == [])
            #expect(send(datagram: Self.echoed) == [])
        }

        /// Host and device over a raw line that drops, flips, doubles and delays bytes, on a clock that only
        /// events move. A flipped bit of a payload passes: the digest of a credential finds it, and
        /// so what is installed is right, after as many attempts as that takes.
        @Test(arguments: 0..<24) func aBadLineIsOvercome(_ seed: Int) throws {
            blank()
            var line = RawLine(LineFaults.Rates(each: 0.0005), seed: UInt64(seed))
            let contract = DeviceContract()
            var isKnown = false
            for _ in 0..<4 where !isKnown {
                let device = try? line.perform(contract.describeDevice())
                isKnown = device?.id == [0, 1, 2, 3, 4, 5, 6, 7]
            }
            #expect(isKnown)
            let credential = pattern(900, seed: seed)
            var isInstalled = false
            for _ in 0..<12 where !isInstalled { isInstalled = line.install(credential) }
            #expect(isInstalled)
            #expect(try Device().credential(type: 2) == credential)
        }
    }
}

/// A session and the device library with a bad line without framing between them.
private struct RawLine {
    private var session: SMPSession
    private var toDevice: LineFaults
    private var toHost: LineFaults
    private var now = Duration.zero
    private var arrivals: [(time: Duration, bytes: [UInt8])] = []

    init(_ rates: LineFaults.Rates, seed: UInt64) {
        var settings = SMPSession.Settings()
        settings.framing = .raw
        session = SMPSession(settings: settings)
        toDevice = LineFaults(rates, seed: seed &* 2)
        toHost = LineFaults(rates, seed: seed &* 2 &+ 1)
    }

    /// False where the device found the digest, or an offset, wrong.
    mutating func install(_ credential: [UInt8]) -> Bool {
        do {
            var upload = try DeviceContract().writeCredential(
                credential, digest: sha256(credential), keyID: 1, type: 2, chunkLength: 128)
            while let call = upload.next() {
                try upload.accept(expectedOffset: try perform(call))
            }
            return true
        } catch {
            return false
        }
    }

    mutating func perform<Answer>(_ call: SMPCall<Answer>) throws -> Answer {
        var deadline = now
        var effects = session.request(
            call.request, patience: .within(.seconds(2)), at: now)
        while true {
            for effect in effects {
                switch effect {
                case .send(let message): deliver(message)
                case .wait(let time): deadline = now + time
                case .finished(let result): return try call.answer(result.get())
                case .log, .repeated: break
                }
            }
            if let next = arrivals.first, next.time <= deadline {
                arrivals.removeFirst()
                now = max(now, next.time)
                effects = session.received(next.bytes, at: now)
            } else {
                // A device that calls it does so after each pause; one that does not gets on as well.
                if deadline - now >= .milliseconds(50) { dp_receive_pause() }
                now = max(now, deadline)
                effects = session.timedOut(at: now)
            }
        }
    }

    private mutating func deliver(_ message: [UInt8]) {
        for piece in toDevice.pass(message) { for byte in piece.bytes { dp_receive_raw(byte) } }
        var length = 0
        let output = test_output_take(&length)
        let answer = Array(UnsafeBufferPointer(start: output, count: length))
        var time = max(now + .milliseconds(5), arrivals.last?.time ?? .zero)
        for piece in toHost.pass(answer) {
            time += piece.delay
            arrivals.append((time, piece.bytes))
        }
    }
}
