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

    @Test func encodesWhatItDecodes() {
        let all = Array(UInt8.min...UInt8.max)
        var decoder = GDBPacketDecoder(maximumLength: 256)
        let events = GDBPacket.encoded(all).compactMap { decoder.decode($0) }
        #expect(events == [.packet(all)])
        #expect(GDBPacket.encoded("m0,4".utf8) == Array("$m0,4#fd".utf8))
    }

    @Test func convertsHexadecimal() {
        #expect(Hexadecimal.bytes(Array("00fFA5".utf8)) == [0, 255, 0xa5])
        #expect(Hexadecimal.bytes(Array("0".utf8)) == nil)
        #expect(Hexadecimal.bytes(Array("0g".utf8)) == nil)
        #expect(Hexadecimal.text([0, 255, 0xa5]) == "00ffa5")
    }
}
