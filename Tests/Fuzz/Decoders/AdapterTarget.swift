internal import Channels
internal import PlatformAdapter
internal import Platforms
internal import Provisioning

extension FuzzTarget {
    /// What an adapter writes to its standard output, and a session that hears it.
    static let adapter = FuzzTarget("adapter") { input in
        var whole = AdapterLineSplitter()
        let parts = whole.push(input)
        for count in [1, 3] {
            var splitter = AdapterLineSplitter()
            let pieces = input.pieces(of: count).flatMap { splitter.push($0) }
            try require(pieces == parts, "pieces of \(count) give other lines")
        }
        let transport = SaidBefore(parts)
        let session = AdapterSession(transport, grease: AdapterGrease(.never))
        do throws(ProvisioningError) {
            let program = try AdapterProgram(path: "/bin/provision-platform-fuzz")
            _ = try Platform(session.hello(), of: program)
            _ = try AdapterIDReader(session).readDeviceID()
            let channel = try AdapterChannel(session, port: nil, isFlashed: false)
            defer { channel.close() }
            try channel.write([1, 2, 3], within: .seconds(1))
            while true {
                let bytes = try channel.read(atMost: 100, within: .seconds(1))
                guard !bytes.isEmpty, bytes.count <= 100 else { break }
            }
        } catch {
            let isPlain = error.reason.unicodeScalars.allSatisfy { $0.value >= 0x20 }
            try require(isPlain, "the reason controls a terminal: \(error.reason)")
            let codes: [ErrorCode] = [.internalFailure, .interrupted]
            try require(!codes.contains(error.code), "the error is \(error.code)")
        }
        let most = AdapterProtocol.maximumLineLength
        try require(transport.sent.allSatisfy { $0.count <= most }, "the host's line is too long")
    }
}

/// An adapter whose answers were all written before it was asked.
private final class SaidBefore: AdapterTransport {
    let name = "fuzz"
    private var parts: ArraySlice<AdapterLineSplitter.Part>
    private(set) var sent: [[UInt8]] = []

    init(_ parts: [AdapterLineSplitter.Part]) { self.parts = parts[...] }

    func send(_ line: [UInt8], within timeout: Duration) throws(ProvisioningError) {
        sent.append(line)
    }

    func receive(within timeout: Duration) throws(ProvisioningError) -> [UInt8]? {
        switch parts.popFirst() {
        case .line(let line): return line
        case .oversized: throw ProvisioningError(.answerOversized, "a line is too long")
        case nil: return nil
        }
    }

    func end() {}
}
