import Testing

@testable import Channels

@Suite struct GDBPacketDecoderTests {
    private func decode(_ text: String, limit: Int = 100) -> [GDBPacketDecoder.Event] {
        var decoder = GDBPacketDecoder(maximumLength: limit)
        return text.utf8.compactMap { decoder.decode($0) }
    }

    @Test func decodesPackets() {
        #expect(decode("+$OK#9a") == [.acknowledged, .packet(Array("OK".utf8))])
        #expect(decode("$#00-") == [.packet([]), .notAcknowledged])
        #expect(
            decode("%Stop:T05#99$OK#9A") == [
                .notification(Array("Stop:T05".utf8)), .packet(Array("OK".utf8)),
            ])
    }

    /// GDB manual: `0* ` is `0000`.
    @Test func undoesRepeatsAndEscapes() {
        #expect(decode("$0* #7a") == [.packet(Array("0000".utf8))])
        #expect(decode("$}\u{3}#80") == [.packet(Array("#".utf8))])
        #expect(decode("$}]#da") == [.packet(Array("}".utf8))])
    }

    @Test func toldDamageAndGoesOn() {
        for damaged in ["$OK#9b", "$OK#xy", "$* #4a", "$0*#5a", "$a}#de", "$O$", "$OK#9$"] {
            let events = decode(damaged + (damaged.hasSuffix("$") ? "" : "$") + "OK#9a")
            #expect(events.count == 2, "\(damaged): \(events)")
            guard case .corrupt? = events.first else {
                Issue.record("\(damaged): \(events)")
                continue
            }
            #expect(events.last == .packet(Array("OK".utf8)))
        }
    }

    @Test func boundsPacketsAndRepeats() {
        let long = "$" + String(repeating: "a", count: 101) + "#00$OK#9a"
        #expect(decode(long) == [.oversized, .packet(Array("OK".utf8))])
        #expect(decode("$a*~#00$OK#9a", limit: 50) == [.oversized, .packet(Array("OK".utf8))])
        #expect(decode("$" + String(repeating: "a", count: 100) + "#e4").count == 1)
    }

    @Test(arguments: 0..<50)
    func survivesNoise(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        let alphabet = Array("$#%+-}*0aZ~ \u{1}".utf8)
        var decoder = GDBPacketDecoder(maximumLength: 16)
        for _ in 0..<2000 {
            let byte = alphabet[Int(random.next() % UInt64(alphabet.count))]
            switch decoder.decode(byte) {
            case .packet(let data)?, .notification(let data)?: #expect(data.count <= 16)
            default: break
            }
        }
        // Whatever it was in the middle of, two packets later it is back.
        let events = "#00$OK#9a$OK#9a".utf8.compactMap { decoder.decode($0) }
        #expect(events.last == .packet(Array("OK".utf8)))
    }

    /// However the bytes are cut.
    @Test(arguments: 0..<50)
    func piecesAndSingleBytesMeanTheSame(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        let alphabet = Array("$#+}*0aaaaaaaaaaaaZ~".utf8)
        let text = (0..<2000).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
        var (single, bulk) = (
            GDBPacketDecoder(maximumLength: 24), GDBPacketDecoder(maximumLength: 24)
        )
        let expected = text.compactMap { single.decode($0) }
        var (events, rest) = ([GDBPacketDecoder.Event](), text[...])
        while !rest.isEmpty {
            let count = min(rest.count, Int(random.next() % 100))
            var piece = rest.prefix(count)
            while let event = bulk.decode(&piece) { events.append(event) }
            #expect(piece.isEmpty)
            rest = rest.dropFirst(count)
        }
        #expect(events == expected)
        #expect(events.contains(.oversized))
    }

    @Test func encodesWhatItDecodes() {
        let all = Array(UInt8.min...UInt8.max)
        var decoder = GDBPacketDecoder(maximumLength: 256)
        let events = GDBPacket.encoded(all).compactMap { decoder.decode($0) }
        #expect(events == [.packet(all)])
        #expect(GDBPacket.encoded("m0,4".utf8) == Array("$m0,4#fd".utf8))
    }
}

/// Random, and the same every time. Steele, Lea and Flood: "Fast Splittable Pseudorandom Number Generators".
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
