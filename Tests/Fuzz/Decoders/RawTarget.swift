internal import SMP

extension FuzzTarget {
    /// SMP messages without a framing: any cut gives the same, nothing is invented, and what a false header
    /// swallowed comes back.
    static let raw = FuzzTarget("raw") { input in
        var choices = FuzzInput(input)
        let cut = Int(choices.byte()) % 32 + 1
        let limit = [8192, 64][Int(choices.byte()) % 2]
        let bytes = choices.remainder()
        let events = events(bytes.pieces(of: max(1, bytes.count)), limit)
        try require(
            Self.events(bytes.pieces(of: cut), limit) == events,
            "pieces of \(cut) give other events")
        try require(
            Self.events(bytes.pieces(of: 1), limit) == events, "single bytes give other events")
        var messageLength = 0
        for event in events {
            switch event {
            case .text: throw BrokenProperty("text on a line that carries none")
            case .damaged: continue
            case .oversized(let length):
                try require(length > limit, "\(length) bytes are oversized, \(limit) allowed")
            case .message(let message):
                messageLength += message.count
                try require(message.count <= limit, "a message of \(message.count) bytes")
                let decoded = try SMPMessage(decoding: message)
                try require(decoded.header.operation.isResponse, "a request as an answer")
                // A message behind all that, and a silence before it, is found.
                var decoder = RawMessageDecoder(maximumMessageLength: limit)
                _ = decoder.push(bytes)
                _ = decoder.abandonFrame()
                try require(decoder.push(message) == [event], "a message is not found again")
            }
        }
        try require(messageLength <= bytes.count, "\(messageLength) bytes of \(bytes.count)")
        try require(events.count <= bytes.count + 1, "\(events.count) events")
    }

    private static func events(_ pieces: [ArraySlice<UInt8>], _ limit: Int) -> [SerialFrameEvent] {
        var decoder = RawMessageDecoder(maximumMessageLength: limit)
        return pieces.flatMap { decoder.push($0) } + decoder.abandonFrame()
    }
}
