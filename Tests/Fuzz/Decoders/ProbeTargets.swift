internal import Channels
import Glibc
internal import Provisioning

extension FuzzTarget {
    /// Packets of a GDB server: one by one, and as the answers to a client.
    static let gdb = FuzzTarget("gdb") { input in
        var decoder = GDBPacketDecoder(maximumLength: 1024)
        let events = input.compactMap { decoder.decode($0) }
        var (bulkDecoder, rest) = (GDBPacketDecoder(maximumLength: 1024), input[...])
        for event in events {
            try require(bulkDecoder.decode(&rest) == event, "at once comes something else")
        }
        try require(bulkDecoder.decode(&rest) == nil, "at once comes more")
        for case .packet(let data) in events {
            try require(data.count <= 1024, "a packet of \(data.count) bytes")
            try require(packets(in: GDBPacket.encoded(data)) == [.packet(data)], "other data")
        }
        try require(
            packets(in: GDBPacket.encoded(input)) == [.packet(input)], "data changes on its way")
        try converse(input)
    }

    private static func packets(in bytes: [UInt8]) -> [GDBPacketDecoder.Event] {
        var decoder = GDBPacketDecoder(maximumLength: 8192)
        return bytes.compactMap { decoder.decode($0) }
    }

    private static let interruption = try? Interruption()

    /// A client's end to a server that says all of `answers` at once, and closes its own.
    static func withServer(
        saying answers: [UInt8], _ talk: (StreamChannel) throws -> Void
    ) throws {
        guard let interruption else { throw BrokenProperty("no interruption") }
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            throw BrokenProperty("no socket pair: \(errno)")
        }
        defer { close(ends[1]) }
        guard write(ends[1], answers, answers.count) == answers.count,
            shutdown(ends[1], Int32(SHUT_WR)) == 0
        else { throw BrokenProperty("no room for \(answers.count) bytes") }
        try talk(
            StreamChannel(descriptor: ends[0], name: "server", interruption: interruption))
    }

    private static func converse(_ answers: [UInt8]) throws {
        try withServer(saying: answers) { channel in
            do {
                let remote = try GDBRemote(channel: channel, replyTimeout: .milliseconds(500))
                try require((64...1 << 14).contains(remote.packetSize), "packets of this size")
                try remote.halt()
                let bytes = try remote.readMemory(at: 0x1000_0060, count: 8, width: .word)
                try require(bytes.count == 8, "\(bytes.count) bytes of 8")
                try remote.writeMemory(at: 0x2000_0000, [0x23, 0x24, 0x2a, 0x7d] as [UInt8])
                _ = try remote.monitor("system_reset")
                try remote.resume()
            } catch let error as ProvisioningError {
                let expected: Set<ErrorCode> = [.probeProtocol, .probeUnavailable]
                try require(expected.contains(error.code), "the error is \(error.code)")
            }
        }
    }

    /// Results from OpenOCD's Tcl port.
    static let openOCD = FuzzTarget("openocd") { input in
        try withServer(saying: input) { channel in
            let control = OpenOCDControl(channel, replyTimeout: .milliseconds(500))
            do {
                let memory = OpenOCDMemory(control)
                // Not whole words: of the three that are asked for, it takes these.
                let bytes = try memory.read(at: 0x1000_0062, count: 9)
                try require(bytes.count == 9, "\(bytes.count) bytes of 9")
                try memory.write(at: 0x2000_0000, [1, 2, 3, 4])
                switch try control.run("version") {
                case .done(let text), .failed(let text):
                    try require(text.utf8.count <= 3 * input.count, "more than was said")
                }
            } catch let error as ProvisioningError {
                let expected: Set<ErrorCode> = [.probeProtocol, .probeUnavailable]
                try require(expected.contains(error.code), "the error is \(error.code)")
                try checkPlain(error.reason)
            }
        }
    }

    /// What goes into one line of a terminal.
    static func checkPlain(_ reason: String) throws {
        let isPlain = reason.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        try require(isPlain, "the reason controls a terminal: \(reason)")
    }

    /// Firmware images.
    static let elf = FuzzTarget("elf") { input in
        guard let image = try? ELFImage(input) else { return }
        try require(image.byteCount <= input.count * 1024, "\(image.byteCount) bytes to load")
        try require(!image.segments.isEmpty, "nothing to load")
        for (segment, next) in zip(image.segments, image.segments.dropFirst()) {
            try require(segment.end <= next.address, "segments that overlap")
        }
        _ = try? image.footprint()
        _ = try? image.symbol(named: "main")
    }
}
