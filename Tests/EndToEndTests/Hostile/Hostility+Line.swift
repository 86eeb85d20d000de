import BadLine
import Foundation
import SMP

extension Hostility {
    /// What can be done to a host without knowing anything of what it says.
    static let onTheLine = [
        Hostility(onLine: "silence", .deviceSilent) { line in
            while line.receive() != nil {}
        },
        Hostility(onLine: "garbage", .noAnswer) { line in
            var generator = SeededGenerator(seed: 1)
            while let request = line.receive(within: 20) {
                // No marker in it by accident: damaged frames are another matter.
                let noise = generator.bytes(200).map { $0 & 0xf0 == 0 ? 0xff : $0 }
                guard line.send(request.map { ~$0 } + noise) else { return }
            }
        },
        Hostility(onLine: "a log and nothing else", .noAnswer) { line in
            while line.receive(within: 20) != nil {
                guard line.send(Array("I: temperature 21 °C\r\n".utf8)) else { return }
            }
        },
        Hostility(onLine: "one byte in a while", .noAnswer) { line in
            while line.receive(within: 200) != nil {
                guard line.send([0x55]) else { return }
            }
        },
        Hostility(onLine: "an echo", .noAnswer) { line in
            while let request = line.receive() {
                guard line.send(request) else { return }
            }
        },
        Hostility(onLine: "data without end or newline", .byteFlood, within: .flood) { line in
            _ = line.receive()
            while line.send([UInt8](repeating: 0x41, count: 4096)) {}
        },
        Hostility(onLine: "random data without end", .byteFlood, within: .flood) { line in
            _ = line.receive()
            var generator = SeededGenerator(seed: 2)
            let noise = generator.bytes(1 << 16).map { $0 == 6 ? 7 : $0 }
            while line.send(noise) {}
        },
        Hostility(onLine: "a frame without end or newline", .byteFlood, within: .flood) { line in
            _ = line.receive()
            line.send(Frame.unfinished)
            while line.send([UInt8](repeating: 0x41, count: 4096)) {}
        },
        Hostility(onLine: "a flood of frames", .frameFlood, within: .flood) { line in
            _ = line.receive()
            var sequence: UInt8 = 0
            while line.send(try Frame.stray(sequence: sequence)) { sequence &+= 1 }
        },
        Hostility(onLine: "a flood of damaged frames", .frameFlood, within: .flood) { line in
            _ = line.receive()
            while line.send(Array("\u{6}\u{9}AA!\n".utf8)) {}
        },
        Hostility(onLine: "frames that do not end", .noAnswer) { line in
            // So few that they are no flood, however long it takes to give up.
            var count = 0
            while line.receive() != nil {
                count += 1
                guard count > 100 || line.send(Frame.unfinished) else { return }
            }
        },
        Hostility(onLine: "a frame that announces 64 KiB", .answerOversized) { line in
            let announced = try SerialFrame.lines(of: [UInt8](repeating: 0, count: 65000))
            while line.receive() != nil {
                guard line.send(announced[0]) else { return }
            }
        },
    ]

    /// The same on a line without frames: see `RawMessageDecoder`.
    static let onTheRawLine =
        onTheLine.filter { !$0.testDescription.contains("frame") } + [
            Hostility(onLine: "a flood of messages", .frameFlood, within: .flood) { line in
                _ = line.receive()
                var sequence: UInt8 = 0
                while line.send(rawMessage([0xa0], sequence: sequence)) { sequence &+= 1 }
            },
            Hostility(onLine: "a flood of messages that are none", .frameFlood, within: .flood) {
                line in
                _ = line.receive()
                while line.send(rawMessage([0xa1, 0xff, 0xff])) {}
            },
            Hostility(onLine: "messages that do not end", .noAnswer) { line in
                while line.receive() != nil {
                    guard line.send(rawMessage([0xa0], length: 4000)) else { return }
                }
            },
            Hostility(onLine: "a message that announces 64 KiB", .answerOversized) { line in
                while line.receive() != nil {
                    guard line.send(rawMessage([0xa0], length: 65_000)) else { return }
                }
            },
        ]

    /// What looks like an answer of the OS group, whose payload may have another length than it says.
    private static func rawMessage(_ payload: [UInt8], length: Int? = nil, sequence: UInt8 = 0)
        -> [UInt8]
    {
        SMPHeader(
            operation: .writeResponse, length: UInt16(length ?? payload.count),
            group: OSGroup.number, sequence: sequence, command: 0
        ).encoded() + payload
    }
}
