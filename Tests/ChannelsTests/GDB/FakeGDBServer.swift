import Foundation
import Synchronization

@testable import Channels

/// A GDB server with a small memory, on the other end of a socket pair, that misbehaves as told.
final class FakeGDBServer: Sendable {
    /// What to send in place of an answer, raw. Nil: behave.
    typealias Misbehaviour = @Sendable (_ request: String, _ attempt: Int) -> [UInt8]?

    private let log = Mutex<[String]>([])
    private let memory = Mutex<[UInt8]>([UInt8](repeating: 0xee, count: 4096))
    private let counts = Mutex((packets: 0, acknowledged: 0))
    let clientEnd: Int32
    private let serverEnd: Int32
    private let features: String
    private let unasked: [UInt8]
    private let chunk: Int
    private let misbehaviour: Misbehaviour
    private let takesBinary: Bool
    private let stopsWhenSpokenTo: Bool

    /// - Parameter stopsWhenSpokenTo: any byte halts a running core, and is lost, as with QEMU. Else
    ///   requests are answered while it runs.
    init(
        features: String = "PacketSize=100;QStartNoAckMode+", unasked: String = "",
        takesBinary: Bool = true, chunk: Int = 4096,
        stopsWhenSpokenTo: Bool = false,
        misbehaviour: @escaping Misbehaviour = { _, _ in nil }
    ) throws {
        (clientEnd, serverEnd) = try socketPair()
        self.features = features
        self.unasked = Array(unasked.utf8)
        self.takesBinary = takesBinary
        self.stopsWhenSpokenTo = stopsWhenSpokenTo
        self.chunk = chunk
        self.misbehaviour = misbehaviour
        onThread { self.serve() }
    }

    var requests: [String] { log.withLock { $0 } }
    var bytes: [UInt8] { memory.withLock { $0 } }
    /// Packets that it sent, and acknowledgements that it got: one more, for the client begins with one.
    var traffic: (packets: Int, acknowledged: Int) { counts.withLock { $0 } }

    func connect(
        replyTimeout: Duration = .seconds(5), interruption: Interruption? = nil
    ) throws -> GDBRemote {
        let channel = try StreamChannel(
            descriptor: clientEnd, name: "fake", interruption: interruption ?? Interruption())
        return try GDBRemote(channel: channel, replyTimeout: replyTimeout)
    }

    private func serve() {
        defer { close(serverEnd) }
        send(unasked)
        var decoder = GDBPacketDecoder(maximumLength: 1 << 20)
        var buffer = [UInt8](repeating: 0, count: 4096)
        var (isRunning, acknowledges, last) = (false, true, [UInt8]())
        while true {
            let count = read(serverEnd, &buffer, buffer.count)
            guard count > 0 else { return }
            for byte in buffer[..<count] {
                if isRunning && (byte == 3 || stopsWhenSpokenTo) {
                    isRunning = false
                    record("halt")
                    send(GDBPacket.encoded("T02thread:01;".utf8))
                    continue
                }
                switch decoder.decode(byte) {
                case .packet(let data)?:
                    if acknowledges { send([UInt8(ascii: "+")]) }
                    let request = String(decoding: data, as: Unicode.ASCII.self)
                    let attempt = record(request)
                    if request == "QStartNoAckMode" { acknowledges = false }
                    if ["c", "vCont;c"].contains(request) {
                        isRunning = true
                        guard let stop = misbehaviour(request, attempt) else { continue }
                        send(stop)
                        isRunning = false
                        continue
                    }
                    last =
                        misbehaviour(request, attempt)
                        ?? GDBPacket.encoded(answer(request, data))
                    send(last)
                case .acknowledged?: counts.withLock { $0.acknowledged += 1 }
                case .notAcknowledged?: send(misbehaviour("-", record("-")) ?? last)
                default: break
                }
            }
        }
    }

    @discardableResult
    private func record(_ request: String) -> Int {
        log.withLock { log in
            log.append(request)
            return log.count { $0 == request }
        }
    }

    private func send(_ bytes: [UInt8]) {
        counts.withLock { $0.packets += bytes.count { $0 == UInt8(ascii: "$") } }
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            let part = Array(bytes[start..<min(start + chunk, bytes.count)])
            _ = Glibc.send(serverEnd, part, part.count, Int32(MSG_NOSIGNAL))
        }
    }

    private func answer(_ request: String, _ data: [UInt8]) -> [UInt8] {
        if request.hasPrefix("qSupported") { return Array(features.utf8) }
        if request == "vCont?" { return Array("vCont;c;C;s".utf8) }
        if request == "QStartNoAckMode" || request == "D" { return Array("OK".utf8) }
        if request.hasPrefix("qRcmd,") { return Array("OK".utf8) }
        guard let kind = request.first, "mMX".contains(kind) else { return [] }
        let header = request.dropFirst().prefix { $0 != ":" }.split(separator: ",")
        guard header.count == 2, let address = Int(header[0], radix: 16),
            let count = Int(header[1], radix: 16), address + count <= 4096
        else { return Array("E14".utf8) }
        let payload = Array(data.drop { $0 != UInt8(ascii: ":") }.dropFirst())
        switch kind {
        case "m":
            return memory.withLock { Array($0[address..<address + count].hexadecimal.utf8) }
        case "M": return store([UInt8](hexadecimal: payload) ?? [], address, count)
        default: return takesBinary ? store(payload, address, count) : []
        }
    }

    private func store(_ bytes: [UInt8], _ address: Int, _ count: Int) -> [UInt8] {
        guard bytes.count == count else { return Array("E22".utf8) }
        memory.withLock { $0.replaceSubrange(address..<address + count, with: bytes) }
        return Array("OK".utf8)
    }
}
