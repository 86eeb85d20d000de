internal import SMP

extension FuzzTarget {
    /// The SMP console framing: any cut gives the same, nothing is invented, every message has a
    /// frame.
    static let frames = FuzzTarget("frames") { input in
        var choices = FuzzInput(input)
        let cut = Int(choices.byte()) % 32 + 1
        let limit = [8192, 64][Int(choices.byte()) % 2]
        let bytes = choices.remainder()
        let events = joinText(bytes.pieces(of: max(1, bytes.count)), limit)
        try require(
            joinText(bytes.pieces(of: cut), limit) == events, "pieces of \(cut) give other events")
        try require(
            joinText(bytes.pieces(of: 1), limit) == events, "single bytes give other events")

        var textCount = 0
        for event in events {
            switch event {
            case .text(let text): textCount += text.count
            case .damaged: continue
            case .oversized(let length):
                try require(length > limit, "\(length) bytes are oversized, \(limit) allowed")
            case .message(let message):
                try require(message.count <= limit, "a message of \(message.count) bytes")
                for lineLength in [127, cut] {
                    let lines = try SerialFrame.lines(of: message, lineLength: lineLength)
                    try require(
                        joinText(lines.map { $0[...] }, limit) == [event],
                        "a message is another one in lines of \(lineLength)")
                }
            }
        }
        try require(textCount <= bytes.count, "\(textCount) bytes of text from \(bytes.count)")
        try require(events.count <= bytes.count + 1, "\(events.count) events")
    }

    /// Where text is cut depends on how it arrives.
    private static func joinText(
        _ pieces: [ArraySlice<UInt8>], _ limit: Int
    ) -> [SerialFrameEvent] {
        var decoder = SerialFrameDecoder(maximumMessageLength: limit, maximumLineLength: 256)
        var events: [SerialFrameEvent] = []
        for event in pieces.flatMap({ decoder.push($0) }) {
            if case .text(let more) = event, case .text(let text)? = events.last {
                events[events.count - 1] = .text(text + more)
            } else {
                events.append(event)
            }
        }
        return events
    }
}
