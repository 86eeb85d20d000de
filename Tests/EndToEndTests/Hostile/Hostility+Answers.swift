import CBOR
import Foundation
import OpenSSL
import Provisioning
import SMP
import ProvisioningTesting

private typealias Command = DeviceContract.Command

extension Hostility {
    /// Frames that arrive whole, and hold what no honest device says.
    static let answers = [
        Hostility("an answer to another request", .answerUnrelated, within: .start) { device, _ in
            device.reaction = { request in
                .send(try! Frame.answer(request, payload: [0xa0]) { $0.sequence &+= 1 })
            }
        },
        Hostility("an answer of another command", .answerUnrelated, within: .start) { device, _ in
            device.reaction = { request in
                .send(try! Frame.answer(request, payload: [0xa0]) { $0.command &+= 1 })
            }
        },
        Hostility("answers that all arrive damaged", .noAnswer, within: .start) { device, _ in
            device.reaction = { request in
                var frame = try! Frame.answer(request, payload: [0xa0])
                frame[8] = frame[8] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
                return .send(frame)
            }
        },
        // {"id": a byte string of 4 GiB}
        Hostility(
            "a length of 4 GiB", .answerOversized,
            payload: [0xa1, 0x62, 0x69, 0x64, 0x5b, 0, 0, 0, 1, 0, 0, 0, 0, 0x41]),
        // {"keys": an array of 2³² items}
        Hostility(
            "an array of 4 Gi items", .answerOversized,
            payload: [0xa1, 0x64] + Array("keys".utf8) + [0x9b, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
        // {"keys": [1, 1, 1, …
        Hostility(
            "a list of keys without end", .answerOversized,
            payload: [0xa1, 0x64] + Array("keys".utf8) + [0x9f]
                + [UInt8](repeating: 1, count: 6000)),
        Hostility("a list of 65 keys", .answerOversized, to: Command.device) {
            $0.description("keys", .array((0..<65).map { .int($0) }))
        },
        Hostility(
            "deep nesting", .answerTooDeep,
            payload: [0xa1, 0x62, 0x69, 0x64] + [UInt8](repeating: 0x81, count: 5000) + [0]),
        Hostility("no map", .protocolViolation, payload: [0x80]),
        Hostility("nothing", .protocolViolation, payload: [0xff]),
        // {"v": 1, "v": 1}
        Hostility(
            "a field twice", .protocolViolation, payload: [0xa2, 0x61, 0x76, 1, 0x61, 0x76, 1]),
        // {"fw": text that is no UTF-8}
        Hostility(
            "text that is no UTF-8", .protocolViolation,
            payload: [0xa1, 0x62, 0x66, 0x77, 0x62, 0xc0, 0x80]),
        Hostility("another version", .versionUnsupported, to: Command.device) {
            $0.description("v", 7)
        },
        Hostility("an escape sequence as board", .protocolViolation, to: Command.device) {
            $0.description("board", "\u{1B}]0;owned\u{7}\u{1B}[2J")
        },
        Hostility("an escape sequence as firmware", .protocolViolation, to: Command.device) {
            $0.description("fw", "1.0\u{1B}[31m")
        },
        Hostility("a NUL in the firmware's name", .protocolViolation, to: Command.device) {
            $0.description("fw", "1.0\0/../")
        },
        Hostility("parts of no byte", .protocolViolation, to: Command.device) {
            $0.description("chunk", 0)
        },
        Hostility("parts of 4 GiB", .answerOversized, to: Command.device) {
            $0.description("chunk", 4_294_967_295)
        },
        Hostility("an ID of a hundred octets", .answerOversized, to: Command.device) {
            $0.description("id", .bytes([UInt8](repeating: 1, count: 100)))
        },
        Hostility("another key than asked for", .protocolViolation, to: Command.key) { victim in
            [
                "kid": 2, "alg": -7, "pub": .bytes(victim.key.publicKey), "imported": false,
            ]
        },
        Hostility("a refusal of everything", .deviceRefused) { device, _ in
            device.reaction = { _ in .refuse(.cryptoFailed) }
        },
    ]

    /// Evidence is read in parts: offsets and lengths are the device's to choose.
    static let parts = [
        Hostility("evidence of 4 GiB", .answerOversized, to: Command.evidence) { _ in
            ["off": 0, "len": 4_294_967_296, "data": .bytes([1])]
        },
        Hostility("evidence of no byte", .protocolViolation, to: Command.evidence) { _ in
            ["off": 0, "len": 0, "data": .bytes([])]
        },
        Hostility("a negative offset", .protocolViolation, to: Command.evidence) { _ in
            ["off": -1, "len": 300, "data": .bytes([1])]
        },
        Hostility("a negative length", .protocolViolation, to: Command.evidence) { _ in
            ["off": 0, "len": -300, "data": .bytes([1])]
        },
        Hostility("an offset beyond all", .answerOversized, to: Command.evidence) { _ in
            ["off": .unsigned(.max), "len": 300, "data": .bytes([1])]
        },
        Hostility("an offset that does not advance", .protocolViolation, to: Command.evidence) {
            _ in ["off": 0, "len": 300, "data": .bytes([UInt8](repeating: 1, count: 96))]
        },
        Hostility("more data than it announced", .answerOversized, to: Command.evidence) { _ in
            ["off": 0, "len": 10, "data": .bytes([UInt8](repeating: 1, count: 96))]
        },
        Hostility("evidence that grows as it is read", .protocolViolation) { device, _ in
            device.reaction = { request in
                guard request.isRead(Command.evidence) else { return .obey }
                let offset = request.payload["off"]?.unsigned ?? 0
                return .answer([
                    "off": .unsigned(offset), "len": .unsigned(offset + 100), "data": .bytes([1]),
                ])
            }
        },
        Hostility("silence when it is asked for evidence", .deviceSilent, within: .signature) {
            device, _ in
            device.reaction = { request in
                request.isRead(Command.evidence) || request.header.group == OSGroup.number
                    ? .miss : .obey
            }
        },
        Hostility("echoes when it is asked for evidence", .noAnswer, within: .signature) {
            device, _ in
            device.reaction = { $0.isRead(Command.evidence) ? .miss : .obey }
        },
        Hostility(
            "answers of another command in place of evidence", .answerUnrelated, within: .signature
        ) {
            device, _ in
            device.reaction = { request in
                guard request.isRead(Command.evidence) else { return .obey }
                return .send(try! Frame.answer(request, payload: [0xa0]) { $0.command &+= 1 })
            }
        },
        Hostility("evidence byte by byte, and slowly", .deviceSlow, within: .conversation) {
            device, _ in
            device.reaction = { request in
                guard request.isRead(Command.evidence) else { return .obey }
                Thread.sleep(forTimeInterval: 0.3)
                let offset = request.payload["off"]?.unsigned ?? 0
                return .answer(["off": .unsigned(offset), "len": 4096, "data": .bytes([1])])
            }
        },
        Hostility("evidence byte by byte", .transferStalled, within: .flood) { device, _ in
            device.reaction = { request in
                guard request.isRead(Command.evidence) else { return .obey }
                let offset = request.payload["off"]?.unsigned ?? 0
                return .answer(["off": .unsigned(offset), "len": 4096, "data": .bytes([1])])
            }
        },
    ]
}
